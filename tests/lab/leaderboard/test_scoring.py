"""Scores of rows: equal to those of the sacrebleu command, and cached statistics that are checked."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from nmt_lstm import Leaderboard
from nmt_lstm.errors import DataError
from nmt_lstm.evaluation.sentence_statistics import Scorer


def sacrebleu(*arguments: object) -> list[dict]:
    command = [sys.executable, "-m", "sacrebleu", *map(str, arguments), "-f", "json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_scores_and_intervals_are_those_of_the_sacrebleu_command(board, texts) -> None:
    metrics = ("-m", "bleu", "chrf", "ter", "--confidence", "-w", "4")
    row = board.current()[0]
    for expected in sacrebleu(texts.reference, "-i", texts.good, *metrics):
        entry = next(each for each in row.scores.values() if each.name == expected["name"])
        assert f"{entry.value:.4f}" == f"{expected['score']:.4f}"
        assert (entry.high - entry.low) / 2 == pytest.approx(expected["confidence_var"], abs=1e-3)
        assert entry.signature == expected["signature"].replace("bs:1000|seed:12345|", "")
    assert list(row.scores) == ["bleu", "chrf", "chrf++", "ter"]


def test_p_values_are_those_of_the_sacrebleu_command(board, texts) -> None:
    result = board.compare("similar", "good").comparisons["bleu"]
    for test, ours in (("--paired-bs", result.p_bootstrap), ("--paired-ar", result.p_randomisation)):
        rows = sacrebleu(texts.reference, "-i", texts.good, texts.similar, "-m", "bleu", test)
        assert rows[1]["BLEU"]["score"] == pytest.approx(result.score, abs=0.05)
        assert rows[1]["BLEU"]["p_value"] == pytest.approx(ours, abs=0.002)
    assert 0.01 < result.p_randomisation < 1


def test_the_brevity_penalty_is_that_of_the_output(empty_board, texts) -> None:
    lines = [line.rsplit(" ", 2)[0] for line in texts.reference.read_text().splitlines()]
    (row,) = empty_board.add("short", hypotheses=lines)
    assert row.length_ratio < 0.9
    assert row.brevity_penalty == pytest.approx(np.exp(1 - 1 / row.length_ratio))


def record_scoring(monkeypatch) -> list[int]:
    """Return a list that receives the number of lines of each scored output."""
    calls: list[int] = []
    statistics = Scorer.statistics
    monkeypatch.setattr(
        Scorer, "statistics", lambda self, lines: calls.append(len(lines)) or statistics(self, lines)
    )
    return calls


def test_statistics_are_computed_once(board, monkeypatch) -> None:
    calls = record_scoring(monkeypatch)
    again = Leaderboard(board.folder)
    assert [row.rank for row in again.rows()] == [1, 2, 3]
    assert calls == []


@pytest.mark.parametrize("damage", ["missing", "different numbers", "different shape", "not an archive"])
def test_damaged_statistics_are_recomputed(board, monkeypatch, damage) -> None:
    before = [(row.row.system, row.versus_best) for row in board.rows()]
    for path in (board.folder / "statistics").glob("*.npz"):
        stored = dict(np.load(path))
        if damage == "missing":
            path.unlink()
        elif damage == "different numbers":
            np.savez(path, **{name: array + 1 for name, array in stored.items()})
        elif damage == "different shape":
            np.savez(path, **{name: array[:, :1] for name, array in stored.items()})
        else:
            path.write_bytes(b"x")
    calls = record_scoring(monkeypatch)
    assert [(row.row.system, row.versus_best) for row in Leaderboard(board.folder).rows()] == before
    assert calls == [40, 40, 40]
    assert [row.rank for row in Leaderboard(board.folder).rows()] == [1, 2, 3]
    assert len(calls) == 3  # they were cached again


def test_a_read_only_board_can_be_shown(board) -> None:
    for path in (board.folder / "statistics").glob("*.npz"):
        path.unlink()
    (board.folder / "statistics").rmdir()
    (board.folder / "statistics").write_text("a file in the way")
    assert len(Leaderboard(board.folder).rows()) == 3


def test_scores_that_do_not_match_the_output_are_rejected(board) -> None:
    row = board.current()[0]
    scores = row.scores | {"bleu": row.scores["bleu"].model_copy(update={"value": 99.0})}
    board.files.append(row.model_copy(update={"scores": scores}))
    with pytest.raises(DataError, match="'good' on 'numbers' differ"):
        Leaderboard(board.folder).rows()
