"""The programs that docs/leaderboard.md shows work as they stand."""

from __future__ import annotations

import re
import subprocess
import sys

from nmt_lstm import Leaderboard
from nmt_lstm.lab.leaderboard.settings import load_board

from .conftest import lines_of, write


def test_the_script_builds_a_board(repository, texts, tmp_path) -> None:
    script = repository / "docs" / "build_leaderboard.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 22
    finished = subprocess.run(
        [sys.executable, script, tmp_path / "b", texts.source, texts.reference, texts.good, texts.bad],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert [line.split()[1] for line in lines[:2]] == ["good", "bad"]
    assert re.fullmatch(r"chrF \+\d+\.\d\d, p = 0\.00\d and 0\.00\d", lines[2])
    assert (tmp_path / "b" / "board.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(Leaderboard(tmp_path / "b").current()) == 2


def test_the_program_in_the_text_works(repository, texts, random_model_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (texts.source, texts.reference, texts.good):
        write(path, lines_of(path)[:4])
    given = {"source": texts.source, "references": [texts.reference]}
    Leaderboard.create("board", {"flickr2016": given})
    texts.good.rename("marian.txt")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "de-en").symlink_to(random_model_folder)
    text = (repository / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    # The folder's name is that of the model where the link leads.
    exec(program.replace("board.add(model=", 'board.add("de-en", model='), {})
    assert {row.system for row in Leaderboard("board").current()} == {"marian", "de-en"}


def test_the_board_file_in_the_text_is_right(repository, tmp_path) -> None:
    text = (repository / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    (board,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "board.toml").write_text(board, encoding="utf-8")
    assert list(load_board(tmp_path).test_sets) == ["flickr2016", "wmt17/en-de"]


def test_the_commands_in_the_text_are_commands(repository, capsys) -> None:
    from nmt_lstm.cli.app import main

    text = (repository / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    commands = re.findall(r"^nmt-lstm (.+)$", text, re.MULTILINE)
    assert len(commands) >= 9
    for command in commands:
        names = command.split()
        options = {name for name in names if name.startswith("-")}
        assert main([*names[: 2 if names[0] == "leaderboard" else 1], "--help"]) == 0
        shown = capsys.readouterr().out
        missing = {option for option in options if option not in re.split(r"[ ,\n]+", shown)}
        assert not missing, command
