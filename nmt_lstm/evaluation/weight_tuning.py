"""Weights of the features by which n-best lists are rescored, tuned for a corpus score.

The features of a hypothesis are summed with weights, and the hypothesis with the largest sum is the translation (Och and
Ney 2002). The weights are searched one at a time on a grid, as in minimum error rate training (Och 2003), but on the mean
of neighbouring points: the best single point is often a chance peak (Cer et al. 2008).

Shapes: L lines, N hypotheses of each, F features, C counts of a metric, G points of a grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.evaluation.formulas import scores_of_totals

__all__ = ["RankedLists", "TunedWeights", "best_hypotheses", "tune_weights"]

Array = NDArray[np.float64]

COARSE, FINE = 0.05, 0.01  # steps of the grid, first over the whole range, then around the best point
LARGEST = 5.0
NEIGHBOURS = 2  # points on each side over which scores are averaged
# What a weight of 1 must gain in points of the score, so that chance does not move a weight far from 0.
COST_OF_WEIGHT = 0.5
MAX_ROUNDS = 20
PARTS = 5  # of the lines, for the score on lines that weights were not tuned on


@dataclass(frozen=True)
class RankedLists:
    """The hypotheses of a text in one array each; missing ones at the ends of the lists are padding."""

    features: Array
    """(L, N, F), finite; the first is the score that the list came with, whose weight is 1."""
    counts: Array
    """(L, N, C): what each hypothesis adds to the corpus score (`SentenceStatistics.values`)."""
    exists: NDArray[np.bool_]
    """(L, N); the first of each line exists."""

    def lines(self, chosen: NDArray[np.bool_]) -> RankedLists:
        """Return the chosen lines (L,)."""
        return RankedLists(self.features[chosen], self.counts[chosen], self.exists[chosen])

    def score(self, weights: Array, metric: str) -> float:
        """Return the corpus score of the best hypotheses by weights (F,)."""
        best = best_hypotheses(self.features, self.exists, weights)
        totals = self.counts[np.arange(len(best)), best].sum(0, keepdims=True)
        return float(scores_of_totals(metric, totals)[0])


@dataclass(frozen=True)
class TunedWeights:
    """The result of tuning."""

    weights: Mapping[str, float]
    """By the name of the feature."""
    before: float
    """Corpus score of the lists' first hypotheses."""
    after: float
    """Corpus score with the weights, on the text that they were tuned on."""
    held_out: float
    """Corpus score when each fifth of the lines is rescored with weights that were tuned on the others."""


def best_hypotheses(features: Array, exists: NDArray[np.bool_], weights: Array) -> NDArray[np.int64]:
    """Return the number of each line's best hypothesis, (L,), the first of equal ones; the arguments are those of `RankedLists`."""
    best: NDArray[np.int64] = np.where(exists, features @ weights, -np.inf).argmax(1)
    return best


def tune_weights(
    lists: RankedLists, names: Sequence[str], metric: str, *, signed: Sequence[str]
) -> TunedWeights:
    """Return the weights with the best corpus score.

    Args:
        lists: the hypotheses.
        names: F names of the features.
        metric: "bleu" or "chrf".
        signed: names of features whose weights may be negative.
    """
    lowest = np.array([-LARGEST if name in signed else 0.0 for name in names])
    weights = _tuned(lists, lowest, metric)
    # Drawn, since neighbouring lines are often of the same text.
    part_of_line = np.random.default_rng(PARTS).permutation(len(lists.exists)) % PARTS
    totals = np.zeros(lists.counts.shape[2])
    for number in set(part_of_line.tolist()):
        is_part = part_of_line == number
        part, others = lists.lines(is_part), lists.lines(~is_part)
        found = _tuned(others, lowest, metric) if len(others.exists) else np.eye(len(names))[0]
        best = best_hypotheses(part.features, part.exists, found)
        totals += part.counts[np.arange(len(best)), best].sum(0)
    unchanged = np.eye(len(names))[0]
    return TunedWeights(
        {name: round(float(weight), 2) for name, weight in zip(names, weights, strict=True)},
        lists.score(unchanged, metric),
        lists.score(weights, metric),
        float(scores_of_totals(metric, totals[None])[0]),
    )


def _tuned(lists: RankedLists, lowest: Array, metric: str) -> Array:
    """Return the best weights (F,) of several starts."""
    count = len(lowest)
    # From zero, and from where all features take part: some help only together, such as a language model and a length.
    starts = [np.array([1.0] + [value] * (count - 1)) for value in (0.0, 0.2, 0.5)]
    best, best_score = starts[0], -np.inf
    for start in starts:
        weights, score = start.copy(), -np.inf
        for step in (COARSE, FINE):
            for _ in range(MAX_ROUNDS):
                before = weights.copy()
                for feature in range(1, count):
                    weights[feature], score = _best_point(
                        lists, weights, feature, lowest[feature], metric, step
                    )
                if np.array_equal(before, weights):
                    break
        if score > best_score:
            best, best_score = weights, score
    return best


def _best_point(
    lists: RankedLists, weights: Array, feature: int, lowest: float, metric: str, step: float
) -> tuple[float, float]:
    """Return the best value of one weight on a grid, and the score around it, less the cost of all weights."""
    center = 0.0 if step == COARSE else weights[feature]
    reach = round(LARGEST / COARSE) if step == COARSE else round(COARSE / FINE) * 2
    numbers = np.arange(-reach - NEIGHBOURS, reach + NEIGHBOURS + 1)
    points = np.round(center + numbers * step, 2)  # exact decimals, so that 0 is among them
    points = points[points >= lowest - NEIGHBOURS * step - FINE / 2]
    others = weights.copy()
    others[feature] = 0.0
    base = np.where(lists.exists, lists.features @ others, -np.inf)
    lines = np.arange(len(base))
    totals = np.stack(
        [
            lists.counts[lines, (base + point * lists.features[:, :, feature]).argmax(1)].sum(0)
            for point in points
        ]
    )
    scores = scores_of_totals(metric, totals)
    window = np.ones(2 * NEIGHBOURS + 1) / (2 * NEIGHBOURS + 1)
    inner = points[NEIGHBOURS:-NEIGHBOURS]
    cost = COST_OF_WEIGHT * (np.abs(inner) + np.abs(others[1:]).sum())
    smooth = np.convolve(scores, window, mode="valid") - cost
    # Of equal points the one nearest to zero: a feature without effect gets no weight.
    order = np.lexsort((np.abs(inner), -np.round(smooth, 9)))
    return float(inner[order[0]]), float(smooth[order[0]])
