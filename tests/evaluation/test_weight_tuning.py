"""Tuning of weights on lists whose best weights are known."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm.evaluation.formulas import scores_of_totals
from nmt_lstm.evaluation.weight_tuning import RankedLists, best_hypotheses, tune_weights


def lists(quality_weights, *, lines=200, hypotheses=6, noise=0.0, seed=1) -> RankedLists:
    """Lists in which the hypothesis with the largest weighted sum is a perfect translation, and the others are poor."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(lines, hypotheses, len(quality_weights)))
    quality = features @ np.array(quality_weights) + noise * generator.normal(size=(lines, hypotheses))
    order = quality.argsort(1).argsort(1)
    # Counts of BLEU: lengths, matches of four orders, n-grams of four orders.
    matches = np.where(order == hypotheses - 1, 10, 2 + order)[:, :, None] * np.ones(4)
    counts = np.concatenate(
        [np.full((lines, hypotheses, 2), 13.0), matches, np.full((lines, hypotheses, 4), 10.0)], 2
    )
    return RankedLists(features, counts, np.ones((lines, hypotheses), dtype=bool))


@pytest.mark.parametrize("weights", [(1.0, 0.5), (1.0, 0.4, -1.0), (1.0, 2.0, 0.0, 0.7)])
def test_the_weights_behind_the_quality_are_found(weights) -> None:
    names = ["score", "a", "b", "c"][: len(weights)]
    tuned = tune_weights(lists(weights), names, "bleu", signed=["b"])
    assert list(tuned.weights) == names
    assert tuned.weights["score"] == 1.0
    for name, expected in zip(names, weights, strict=True):
        assert tuned.weights[name] == pytest.approx(expected, abs=0.15)
    assert tuned.before < min(tuned.held_out, tuned.after)
    assert tuned.after > 95.0


def test_the_same_lists_give_the_same_weights() -> None:
    noisy = lists((1.0, 0.5, 0.2), noise=1.0)
    first, second = (tune_weights(noisy, ["score", "a", "b"], "bleu", signed=[]) for _ in range(2))
    assert first == second


def test_a_feature_without_effect_has_no_weight_and_others_cannot_be_negative() -> None:
    useful = lists((1.0, -1.0))
    constant = np.ones((*useful.exists.shape, 1))
    tuned = tune_weights(
        RankedLists(np.concatenate([useful.features, constant], 2), useful.counts, useful.exists),
        ["score", "a", "constant"],
        "bleu",
        signed=["constant"],
    )
    assert tuned.weights == {"score": 1.0, "a": 0.0, "constant": 0.0}
    assert tuned.after == tuned.before


def test_missing_hypotheses_are_never_chosen() -> None:
    features = np.array([[[0.0], [5.0]], [[1.0], [1.0]]])
    exists = np.array([[True, False], [True, True]])
    assert best_hypotheses(features, exists, np.ones(1)).tolist() == [0, 0]


def test_a_single_line_can_be_tuned() -> None:
    one = lists((1.0, 0.5), lines=1)
    tuned = tune_weights(one, ["score", "a"], "bleu", signed=[])
    assert tuned.after == pytest.approx(float(scores_of_totals("bleu", one.counts.max(1))[0]))
