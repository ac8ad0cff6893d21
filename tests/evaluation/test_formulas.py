"""Scores of many sums at once equal those of sacreBLEU for the same sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.evaluation.formulas import brevity_penalties, scores_of_totals
from nmt_lstm.evaluation.scores import METRICS, build_metric


def by_sacrebleu(metric: str, row: list[float]):
    """The score that sacreBLEU computes from sums."""
    return build_metric(metric)._compute_score_from_stats(list(row))


@st.composite
def totals(draw, metric: str) -> list[float]:
    """Possible sums of a metric."""
    count = st.integers(0, 40)
    if metric == "bleu":
        ngrams = [draw(count) for _ in range(4)]
        return [sum(ngrams), draw(count), *(draw(st.integers(0, number)) for number in ngrams), *ngrams]
    if metric == "ter":
        return [draw(count), draw(count)]
    counts = []
    for _ in range(8 if metric == "chrf++" else 6):
        hypothesis, reference = draw(count), draw(count)
        counts += [hypothesis, reference, draw(st.integers(0, min(hypothesis, reference)))]
    return counts


@pytest.mark.parametrize("metric", METRICS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_scores_equal_those_of_sacrebleu(metric, data) -> None:
    rows = data.draw(st.lists(totals(metric), min_size=1, max_size=4))
    scores = scores_of_totals(metric, np.array(rows, dtype=float))
    assert scores == pytest.approx([by_sacrebleu(metric, row).score for row in rows], abs=1e-9)


@given(row=totals("bleu"))
@settings(max_examples=60, deadline=None)
def test_the_brevity_penalty_equals_that_of_sacrebleu(row) -> None:
    assert brevity_penalties(np.array([row], dtype=float))[0] == pytest.approx(by_sacrebleu("bleu", row).bp)
