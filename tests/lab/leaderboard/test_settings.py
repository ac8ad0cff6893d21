"""board.toml: what is in it, and what is refused, in one line that names all problems."""

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


def test_a_board_file_is_read_and_written_back(tmp_path) -> None:
    settings = load_board(board(tmp_path, GOOD))
    assert settings.title == "Numbers"
    assert settings.test_sets["numbers"].references == [Path("a.en"), Path("b.en")]
    assert settings.test_sets["wmt17/en-de"].sacrebleu == "wmt17/en-de"
    assert load_board(board(tmp_path, dump_board(settings))) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format = 2", r"has format version 2, and this nmt-lstm \(.*\) reads up to 1; install"),
        ("format = 'x'", "format = 'x' is no version; this one writes 1"),
        ("[test_sets]", "name at least one test set, as"),
        ("title = 'x'", "'test_sets' is required: name a test set as"),
        ("[test_sets.a]\nsacrebleu = 'wmt17/en-de'\nsource = 'x'", "test_sets.a: name either source and references, or"),
        ("[test_sets.a]\nsource = 'x'", "test_sets.a: name source and references, such as source = "),
        ("[test_sets.a]\nsource = 'x'\nreference = ['y']", "unknown key 'test_sets.a.reference'. Did you mean 'references'?"),
        ("titel = 'x'\n[test_sets.a]\nsacrebleu = 'x'", "unknown key 'titel'. Did you mean 'title'?"),
        ("[test_sets.a]\nsacrebleu = 3", "test_sets.a.sacrebleu = 3: input should be a valid string"),
        ("[test_sets.'a|b']\nsacrebleu = 'wmt17/en-de'", "'a|b' cannot be a name: letters, digits"),
        ("[test_sets", "board.toml' is not TOML: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(tmp_path, text, message) -> None:
    with pytest.raises(ConfigurationError, match=message) as found:
        load_board(board(tmp_path, text))
    assert "\n" not in str(found.value)


def test_all_problems_are_named(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match=r"test_sets\.a: .*test_sets\.b\.tokenize = 1"):
        load_board(board(tmp_path, "[test_sets.a]\n[test_sets.b]\nsacrebleu = 'x'\ntokenize = 1"))


def test_a_folder_without_a_board_is_told_how_to_make_one(tmp_path) -> None:
    with pytest.raises(
        ConfigurationError, match="is no leaderboard: it has no board.toml; make one with: nmt-lstm"
    ):
        load_board(tmp_path)
    (tmp_path / "board.toml").mkdir()
    with pytest.raises(ConfigurationError, match="board.toml' cannot be read: Is a directory"):
        load_board(tmp_path)


def test_other_encodings_are_refused(tmp_path) -> None:
    (tmp_path / "board.toml").write_bytes(b"title = '\xfc'")
    with pytest.raises(ConfigurationError, match=r"is not UTF-8 text \(byte 9\)"):
        load_board(tmp_path)
