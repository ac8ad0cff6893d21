"""Rankings: order, significance, and separate rankings with their reasons."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.leaderboard.ranking import differences, rank


def with_signature(row, tokenize: str):
    entry = row.scores["bleu"]
    changed = entry.model_copy(update={"signature": entry.signature.replace("tok:13a", f"tok:{tokenize}")})
    return row.model_copy(update={"scores": row.scores | {"bleu": changed}})


def test_rows_are_ranked_and_tested_against_the_best(board) -> None:
    (ranking,) = board.rankings()
    good, second, bad = ranking.rows
    assert [each.rank for each in ranking.rows] == [1, 2, 3]
    assert bad.row.system == "bad"
    assert (good.versus_best, good.as_good_as_best) == (None, True)
    assert second.as_good_as_best
    assert not second.versus_best.significant
    assert second.versus_best.difference == pytest.approx(second.score.value - good.score.value)
    assert bad.versus_best.significant
    assert not bad.as_good_as_best
    assert all(each.versus_baseline is None for each in ranking.rows)


def test_ter_ranks_low_scores_first(board) -> None:
    result = [each.score.value for each in board.rows(metric="ter")]
    assert result == sorted(result)
    assert board.rows(metric="ter")[-1].row.system == "bad"


def test_all_rows_are_compared_with_the_baseline(board) -> None:
    result = {each.row.system: each for each in board.rows(baseline="bad")}
    assert result["bad"].versus_baseline is None
    for name in ("good", "similar"):
        assert result[name].versus_baseline.significant
        assert result[name].versus_baseline.difference > 0


def test_the_best_can_be_the_baseline(board) -> None:
    best = board.rows()[0].row.system
    assert all(each.versus_best == each.versus_baseline for each in board.rows(baseline=best))


def test_incomparable_rows_are_in_separate_rankings(board) -> None:
    good, similar, bad = board.current()
    other = with_signature(bad, "char")
    result = rank([other, similar, good], "bleu", board.scoring.statistics_of)
    assert [[each.row.system for each in ranking.rows] for ranking in result] == [
        [each.row.system for each in board.rows()[:2]],
        ["bad"],
    ]
    assert result[0].apart == []
    assert result[1].apart == ["bleu signature tok:char, not tok:13a"]
    assert result[1].rows[0].rank == 1


def test_every_kind_of_difference_is_described(board) -> None:
    row = board.current()[0]
    assert differences(row, row) == []
    digest = "0" * 64
    assert differences(row.model_copy(update={"source": digest}), row) == [
        f"source text 000000000000, not {row.source[:12]}"
    ]
    assert differences(row.model_copy(update={"references": (digest, digest)}), row) == [
        f"references 000000000000, 000000000000, not {row.references[0][:12]}"
    ]
    without = row.model_copy(update={"scores": {"chrf": row.scores["chrf"]}})
    assert differences(without, row)[0].startswith("bleu signature none, not nrefs:1|")
