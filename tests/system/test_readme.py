"""The documents: their commands and programs run on a tiny text, and their links and paths exist."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = re.compile(
    r"^<!-- tested(?:: (?P<file>\S+))? -->\n```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Five steps instead of a complete training run; everything else is unchanged.
FEW_STEPS = """
nmt-lstm() {
    if [ "$1" = train ]; then command nmt-lstm "$@" --set training.max_steps=5; else command nmt-lstm "$@"; fi
}
"""


def run_block(language: str, code: str, folder: Path, beginning: str = FEW_STEPS) -> None:
    """Run one code block in `folder`, after some definitions."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    commands = {"sh": ["bash", "-euc", beginning + code], "python": [sys.executable, "-c", code]}
    finished = subprocess.run(
        commands[language],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, f"{code}\n{finished.stderr}"


def run_blocks(document: Path, minimum: int, folder: Path) -> None:
    """Run the tested blocks of a document, of which there are at least `minimum`; those with a name are files."""
    blocks = list(BLOCK.finditer(document.read_text(encoding="utf-8")))
    assert len(blocks) >= minimum
    for block in blocks:
        if block["file"]:
            (folder / block["file"]).write_text(block["code"], encoding="utf-8")
        else:
            run_block(block["language"], block["code"], folder)


def copy_texts(parallel_files, folder: Path) -> None:
    """Copy the texts that the examples use to a folder; the test text is the validation text."""
    for attribute, name in {
        "train_source": "train.de",
        "train_target": "train.en",
        "valid_source": "val.de",
        "valid_target": "val.en",
    }.items():
        shutil.copy(getattr(parallel_files, attribute), folder / name)
    for language in ("de", "en"):
        shutil.copy(folder / f"val.{language}", folder / f"test.{language}")


@pytest.mark.slow
def test_the_commands_and_programs_run(repository, parallel_files, tmp_path) -> None:
    copy_texts(parallel_files, tmp_path)
    for document, minimum in (("README.md", 6), ("docs/python.md", 2)):
        run_blocks(repository / document, minimum, tmp_path)
        shutil.copy(tmp_path / "runs" / "de-en" / "run.toml", tmp_path)


PAGES = {
    "docs/training.md": 2,
    "docs/machines.md": 1,
    "docs/bulk.md": 3,
    "docs/decoding.md": 6,
    "docs/encoders.md": 2,
    "docs/markup.md": 5,
    "docs/language-models.md": 5,
    "docs/optimizers-and-loggers.md": 1,
    "docs/scale.md": 1,
    "docs/text.md": 8,
    "docs/vocabularies.md": 5,
}
"""Pages whose examples need no more than train.de, train.en, val.de, val.en, test.de and test.en, with their least number."""


@pytest.mark.slow
@pytest.mark.spread
@pytest.mark.parametrize(
    "document",
    [pytest.param(page, marks=[] if page == "docs/decoding.md" else pytest.mark.long) for page in PAGES],
)
def test_the_examples_of_a_page_run(repository, parallel_files, tmp_path, document) -> None:
    copy_texts(parallel_files, tmp_path)
    run_blocks(repository / document, PAGES[document], tmp_path)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.spread
def test_the_page_about_classification_and_forecasting_runs(repository, tmp_path) -> None:
    for name in ("reviews", "seasons"):
        shutil.copytree(repository / "data" / name, tmp_path / "data" / name)
    text = (repository / "docs" / "classification-and-forecasting.md").read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) >= 8
    for block in blocks:
        run_block(block["language"], block["code"], tmp_path)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.spread
def test_the_examples_of_serving_run(repository, tmp_path) -> None:
    text = (repository / "docs" / "serving.md").read_text(encoding="utf-8")
    blocks = [match["code"] for match in BLOCK.finditer(text)]
    assert len(blocks) >= 2
    for block in blocks:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # A background job of a function could not be killed by its number.
        code = block.replace("localhost:5001", f"localhost:{port}").replace("--port 5001", f"--port {port}")
        code = code.replace("localhost:5000", f"localhost:{port}")
        code = code.replace(
            "serve -m builtin:en-ja --workers 1 --access-log",
            f"serve -m builtin:en-ja --port {port} --workers 1 --access-log",
        )
        run_block("sh", code, tmp_path, beginning="")


@pytest.mark.slow
@pytest.mark.spread
def test_the_examples_of_importing_run(repository, tmp_path) -> None:
    for file in (repository / "tests/importing/models/marian-gru").iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "in.de").write_text("das stern das frau kennt .\nheute das haus das baum sieht .\n", "utf-8")
    run_blocks(repository / "docs/importing.md", 1, tmp_path)
    translations = (tmp_path / "out.en").read_text("utf-8").splitlines()
    assert translations[0] == "the star knows the woman ."


def test_the_targets_of_links_exist(repository) -> None:
    documents = [
        repository / "README.md",
        repository / "CONTRIBUTING.md",
        *sorted((repository / "docs").rglob("*.md")),
    ]
    broken = []
    for document in documents:
        prose = re.sub(
            r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
        )
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose):
            if not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
    assert not broken


def test_the_paths_in_contributing_exist(repository) -> None:
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`([a-z_.]+(?:/[a-z_0-9.-]+)+/?)`", text)
    assert len(paths) > 40
    assert not [
        path
        for path in paths
        if "." in path and not path.startswith("multi30k/")
        if not (repository / "nmt_lstm" / path).exists() and not (repository / path).exists()
    ]
