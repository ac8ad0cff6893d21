"""New rows: outputs are checked, and replace others only on request."""

from __future__ import annotations

import pytest

from nmt_lstm import Leaderboard
from nmt_lstm.errors import DataError

from .conftest import lines_of, write


def test_adding_the_same_output_again_adds_nothing(board, texts) -> None:
    before = (board.folder / "rows.jsonl").read_bytes()
    (row,) = board.add("good", hypotheses=texts.good)
    assert row == board.current()[0]
    assert (board.folder / "rows.jsonl").read_bytes() == before
    # Unless there are more facts.
    board.add("good", hypotheses=texts.good, facts={"seed": 3}, replace=True)
    assert board.current()[0].facts.seed == 3
    assert len(board.current()) == 3


def test_a_name_in_use_is_rejected_without_replace(board, texts) -> None:
    with pytest.raises(DataError, match=r"'good' already has a different output"):
        board.add("good", hypotheses=texts.bad)
    (row,) = board.add("good", hypotheses=texts.bad, replace=True)
    assert board.current()[0] == row
    assert len(board.files.records()) == 4  # the previous row remains in the file


def test_a_name_taken_during_scoring_is_rejected(board, texts, monkeypatch) -> None:
    make_row = board.scoring.make_row

    def slowly(*arguments):
        monkeypatch.undo()
        Leaderboard(board.folder).add("new", hypotheses=texts.good)
        return make_row(*arguments)

    monkeypatch.setattr(board.scoring, "make_row", slowly)
    with pytest.raises(DataError, match="'new' already has a different"):
        board.add("new", hypotheses=texts.bad)


def test_wrong_line_counts_are_rejected_with_a_hint(empty_board, texts) -> None:
    lines = lines_of(texts.good)
    for table, hint in (
        ([*lines, ""], "empty last line"),
        (lines[:-3], "toolkits drop empty lines"),
        ([*lines, "x"], r"line by line\.$"),
    ):
        path = write(texts.folder / "out.txt", table)
        with pytest.raises(DataError, match=rf"has {len(lines_of(path))} lines, .* has 40; .*{hint}"):
            empty_board.add("x", hypotheses=path)
    assert not (empty_board.folder / "rows.jsonl").exists()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""] * 40, "contains only empty lines"),
        (["a\nb"] * 40, "hypothesis 1 contains a line feed"),
        ([], "has 0 lines, .* has 40"),
    ],
)
def test_unusable_outputs_are_rejected(empty_board, lines, message) -> None:
    with pytest.raises(DataError, match=message):
        empty_board.add("x", hypotheses=lines)


def test_a_missing_or_foreign_output_file_is_named(empty_board, texts) -> None:
    with pytest.raises(DataError, match="'none.txt' does not exist"):
        empty_board.add("x", hypotheses="none.txt")
    (texts.folder / "latin").write_bytes(b"\xfc\n" * 40)
    with pytest.raises(DataError, match="is not UTF-8 at line 1, byte 1"):
        empty_board.add("x", hypotheses=texts.folder / "latin")


def test_a_warning_follows_from_subwords(empty_board, texts, caplog) -> None:
    empty_board.add("x", hypotheses=[line.replace(" ", "@@ ") for line in lines_of(texts.good)])
    assert "the output on numbers: 40 lines have subwords" in caplog.text
