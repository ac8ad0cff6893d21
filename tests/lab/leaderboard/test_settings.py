"""board.toml: reading, writing, and messages that name all problems in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.leaderboard.settings import dump_board, load_board

GOOD = """
format = 1
title = "Numbers"
[test_sets.numbers]
source = "test.de"
references = ["a.en", "b.en"]
source_language = "de"
[test_sets."wmt17/en-de"]
sacrebleu = "wmt17/en-de"
"""


def board(folder: Path, text: str) -> Path:
    (folder / "board.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_board_file_is_read_as_written(tmp_path) -> None:
    settings = load_board(board(tmp_path, GOOD))
    assert settings.title == "Numbers"
    assert settings.test_sets["numbers"].references == [Path("a.en"), Path("b.en")]
    assert settings.test_sets["wmt17/en-de"].sacrebleu == "wmt17/en-de"
    assert load_board(board(tmp_path, dump_board(settings))) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format = 2", "has format version 2"),
        ("format = 'x'", "format = 'x' is not a version"),
        ("[test_sets]", "name at least one test set"),
        ("title = 'x'", "'test_sets' is required"),
        ("[test_sets.a]\nsacrebleu = 'wmt17/en-de'\nsource = 'x'", "test_sets.a: name either source"),
        ("[test_sets.a]\nsource = 'x'", "test_sets.a: name source and"),
        ("[test_sets.a]\nsource = 'x'\nreference = ['y']", "Did you mean 'references'"),
        ("titel = 'x'\n[test_sets.a]\nsacrebleu = 'x'", "Did you mean 'title'"),
        ("[test_sets.a]\nsacrebleu = 3", "test_sets.a.sacrebleu = 3"),
        ("[test_sets.'a|b']\nsacrebleu = 'wmt17/en-de'", "not a valid name"),
        ("[test_sets", "board.toml' cannot be read"),
    ],
)  # fmt: skip
def test_a_problem_is_described_in_one_line(tmp_path, text, message) -> None:
    with pytest.raises(ConfigurationError, match=message) as result:
        load_board(board(tmp_path, text))
    assert "\n" not in str(result.value)


def test_all_problems_are_named(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match=r"test_sets\.a: .*test_sets\.b\.tokenize = 1"):
        load_board(board(tmp_path, "[test_sets.a]\n[test_sets.b]\nsacrebleu = 'x'\ntokenize = 1"))


def test_a_folder_without_a_board_is_rejected(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="is not a leaderboard") as caught:
        load_board(tmp_path)
    assert caught.value.path == tmp_path / "board.toml"
    (tmp_path / "board.toml").mkdir()
    with pytest.raises(ConfigurationError, match="board.toml' cannot be read: Is a directory"):
        load_board(tmp_path)


def test_other_encodings_are_rejected(tmp_path) -> None:
    (tmp_path / "board.toml").write_bytes(b"title = '\xfc'")
    with pytest.raises(ConfigurationError, match="cannot be read: .*position 9"):
        load_board(tmp_path)
