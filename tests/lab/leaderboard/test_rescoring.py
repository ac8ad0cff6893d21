"""Rescoring and verification: unchanged boards stay unchanged, and every problem is named."""

from __future__ import annotations

import pytest

from nmt_lstm import Leaderboard

from .conftest import lines_of, write


def test_rescoring_an_unchanged_board_changes_nothing(board) -> None:
    assert Leaderboard(board.folder).rescore() == []
    result = board.verify()
    assert (result.rows, result.texts, result.problems) == (3, 5, [])


def test_a_row_with_different_scores_is_reported(board) -> None:
    row = board.current()[1]
    entry = row.scores["bleu"]
    old = entry.model_copy(
        update={"value": 12.5, "low": 1.0, "signature": entry.signature.replace("version:", "version:1.")}
    )
    board.files.append(row.model_copy(update={"scores": row.scores | {"bleu": old}}))
    (change,) = board.rescore()
    assert (change.row.system, change.updated) == ("similar", False)
    assert change.what[0] == f"BLEU was 12.5000 and is {entry.value:.4f}"
    assert change.what[1].startswith("the interval of BLEU was 1.00 to ")
    assert "version:1." in change.what[2]
    assert board.current()[1].scores["bleu"] == old  # only reported

    (change,) = board.rescore(update=True)
    assert change.updated
    assert board.current()[1].scores == row.scores
    assert board.rescore() == []
    assert len(board.rankings()) == 1


def test_update_scores_on_changed_references(board, texts) -> None:
    write(texts.reference, [line.replace("one", "two") for line in lines_of(texts.reference)])
    again = Leaderboard(board.folder)
    assert again.rescore() == []  # the stored texts are the same
    (problem,) = again.verify().problems
    assert "'numbers' has changed since good, similar, bad" in problem
    changes = again.rescore(update=True)
    assert [(change.row.system, change.updated) for change in changes] == [
        ("good", True), ("similar", True), ("bad", True)
    ]  # fmt: skip
    assert "references" in changes[0].what[0]
    assert again.verify().problems == []
    (ranking,) = again.rankings()
    assert len(ranking.rows) == 3
    assert again.rescore(update=True) == []


def test_update_cannot_translate_a_changed_source(board, texts) -> None:
    write(texts.source, [f"{line} !" for line in lines_of(texts.source)])
    changes = Leaderboard(board.folder).rescore(update=True)
    assert {change.updated for change in changes} == {False}
    assert "the source text has changed" in changes[0].what[0]


def test_update_keeps_rows_of_a_removed_test_set(board) -> None:
    path = board.folder / "board.toml"
    path.write_text(path.read_text().replace("[test_sets.numbers]", "[test_sets.renamed]"))
    assert Leaderboard(board.folder).rescore(update=True) == []


def test_verify_names_every_problem(board, texts) -> None:
    rows = board.folder / "rows.jsonl"
    first, second, third = rows.read_text().splitlines()
    rows.write_text("\n".join([first.replace("good", "best"), second, third, "{}"]) + "\n")
    changed = board.files.text_path(min(board.files.texts()))
    changed.write_text("other\n")
    (board.folder / "texts" / f"{'0' * 64}.txt").write_text("stray\n")
    texts.reference.unlink()
    result = Leaderboard(board.folder).verify()
    problems = "\n".join(result.problems)
    assert result.rows == 4
    for expected in (
        "rows.jsonl', line 1, was changed",
        "rows.jsonl', line 4, was changed",
        f"{changed}' was changed",
        f"{'0' * 64}.txt' was changed",
        "test set 'numbers': ",
    ):
        assert expected in problems
    assert "rows.head.json" in problems
    assert len(result.problems) == 6


def test_a_missing_text_is_a_problem(board) -> None:
    board.files.text_path(board.current()[0].hypotheses).unlink()
    (problem,) = board.verify().problems
    assert "is missing" in problem


def test_a_wrong_fingerprint_is_a_problem(board) -> None:
    row = board.current()[0]
    board.files.append(row.model_copy(update={"fingerprint": "0" * 64}))
    assert "fingerprint" in board.verify().problems[0]


@pytest.mark.parametrize("update", [False, True])
def test_rescoring_an_empty_board_changes_nothing(empty_board, update) -> None:
    assert empty_board.rescore(update=update) == []


def test_verify_detects_an_emptied_board_and_damaged_statistics(board) -> None:
    (board.folder / "rows.jsonl").write_bytes(b"")
    damaged = next((board.folder / "statistics").glob("*.npz"))
    damaged.write_bytes(damaged.read_bytes()[:-90])
    problems = "\n".join(Leaderboard(board.folder).verify().problems)
    assert "are missing" in problems
    assert str(damaged) in problems
