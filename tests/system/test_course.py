"""The course in docs/learn: its commands are run as they stand, on models of a few updates, and its two languages agree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHAPTERS = (
    "1-gates",
    "2-lstm-and-rnn",
    "3-lstm-and-gru",
    "4-long-dependencies",
    "5-vanishing-gradients",
    "6-clipping",
    "7-next-word",
    "8-attention",
)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[([^]]*)\]\(\.\./images/([^)]+)\)")
FORMULA = re.compile(r"\$\$(.*?)\$\$", re.DOTALL)
MAX_PICTURE_BYTES = 200_000
# Few updates instead of whole training runs; everything else is the chapter's text.
SHORTER = """
nmt-lstm() {
    if [ "$1" = train ]; then command nmt-lstm "$@" --set training.max_steps=60; else command nmt-lstm "$@"; fi
}
"""


def chapter(repository: Path, language: str, name: str) -> str:
    """Return the text of a chapter."""
    return (repository / "docs" / "learn" / language / f"{name}.md").read_text(encoding="utf-8")


def copied_tree(repository: Path, folder: Path) -> Path:
    """Copy what the commands of the course name, so that what they write stays in `folder`."""
    shutil.copytree(repository / "docs" / "learn", folder / "docs" / "learn")
    shutil.copytree(
        repository / "data" / "builtin_enja", folder / "data" / "builtin_enja", ignore=lambda *_: ["trained"]
    )
    return folder


def run_commands(commands: str, folder: Path) -> str:
    """Run commands in `folder` by the interpreter of the tests and return what they wrote on stdout."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    finished = subprocess.run(
        ["bash", "-euc", SHORTER + commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert finished.returncode == 0, f"{commands}\n{finished.stderr}"
    return finished.stdout


@pytest.mark.slow
@pytest.mark.long
def test_the_commands_of_all_chapters_work_in_their_order(repository, tmp_path) -> None:
    folder = copied_tree(repository, tmp_path)
    for name in CHAPTERS:
        blocks = BLOCK.findall(chapter(repository, "en", name))
        assert len(blocks) >= 2, name
        run_commands(re.sub(r"--steps \d+", "--steps 2", "\n".join(blocks)), folder)


def test_scores_of_forced_translations_are_those_of_the_chapter(repository, tmp_path) -> None:
    text = chapter(repository, "en", "7-next-word")
    commands = BLOCK.findall(text)[0]
    lines = run_commands(commands, tmp_path).splitlines()
    for line in lines[:2]:
        rounded = f"{float(line.split()[0]):.2f}".replace("-", "−")
        assert rounded in text


@pytest.mark.parametrize("name", CHAPTERS)
def test_both_languages_have_the_same_commands_pictures_and_numbers(name, repository) -> None:
    english, japanese = (chapter(repository, language, name) for language in ("en", "ja"))
    assert BLOCK.findall(english) == BLOCK.findall(japanese)
    assert [file for _, file in PICTURE.findall(english)] == [file for _, file in PICTURE.findall(japanese)]
    symbols = [
        [re.sub(r"\\text\{[^}]*\}", "", each) for each in FORMULA.findall(text)]
        for text in (english, japanese)
    ]
    assert symbols[0] == symbols[1]
    tables = [re.findall(r"^\|[ \d.,|%–-]+\|$", text, re.MULTILINE) for text in (english, japanese)]
    assert tables[0] == tables[1]


def test_run_files_of_the_memory_task_differ_in_the_text_alone(repository) -> None:
    near, far = (
        tomllib.loads((repository / "docs" / "learn" / f"{name}.toml").read_text(encoding="utf-8"))
        for name in ("memory", "far")
    )
    assert far["data"]["train_source"] == "../../runs/learn/far/train.in"
    assert {**far, "data": None} == {**near, "data": None}


def test_pictures_are_small_described_and_shown(repository) -> None:
    images = repository / "docs" / "learn" / "images"
    shown = set()
    for language in ("en", "ja"):
        for name in CHAPTERS:
            for description, file in PICTURE.findall(chapter(repository, language, name)):
                assert len(description) > 20, file
                shown.add(file)
    assert shown == {path.name for path in images.iterdir()}
    for path in images.iterdir():
        assert path.stat().st_size < MAX_PICTURE_BYTES, path.name


def test_the_marked_letter_is_the_answer(repository, tmp_path) -> None:
    script = repository / "docs" / "learn" / "memory_task.py"
    written = ["--pairs", "50", "--shortest", "3", "--longest", "9", "-o", str(tmp_path)]
    subprocess.run([sys.executable, str(script), *written], check=True)
    lines = (tmp_path / "train.in").read_text(encoding="utf-8").splitlines()
    answers = (tmp_path / "train.out").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(answers) == 50
    for line, answer in zip(lines, answers, strict=True):
        pieces = line.split()
        marked = pieces.index(">") + 1
        assert pieces[marked] == answer
        assert 3 <= len(pieces) - 1 - marked <= 9


def test_a_gradient_that_is_not_finite_lies_on_the_upper_edge(repository, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(repository / "docs" / "learn"))
    from course_charts import attempts_chart

    def record(largest: float | None) -> dict[str, object]:
        attempts = [
            {"learning_rate": 0.01, "largest_gradient": 5.0},
            {"learning_rate": 0.1, "largest_gradient": largest},
        ]
        return {"run": {"cell": {"label": "rnn"}}, "attempts": attempts}

    assert attempts_chart([record(None)]) == attempts_chart([record(10.0)])
    assert attempts_chart([record(None)]) != attempts_chart([record(2.0)])
