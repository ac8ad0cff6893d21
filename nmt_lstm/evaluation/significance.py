"""How sure a score is, and whether two systems differ: bootstrap and approximate randomisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import DataError
from nmt_lstm.evaluation.formulas import scores_of_totals
from nmt_lstm.evaluation.sentence_statistics import SentenceStatistics

__all__ = [
    "LEVEL",
    "RESAMPLES",
    "SEED",
    "TRIALS",
    "Comparison",
    "Interval",
    "bootstrap_scores",
    "compare",
    "interval_of",
    "p_value_of",
]

Array = NDArray[np.float64]

# Those of sacreBLEU, so that its p values are ours.
SEED = 12345
RESAMPLES = 1_000
TRIALS = 10_000
LEVEL = 0.05
_CELLS_AT_ONCE = 1 << 22  # of the matrix of samples and sentences: 32 MiB
_SAME = 1e-9


@dataclass(frozen=True)
class Interval:
    """A 95 % interval of a score, from bootstrap resamples (Koehn 2004)."""

    low: float
    high: float
    mean: float
    """Of the resamples; sacreBLEU prints it as the middle of its interval."""

    @property
    def half_width(self) -> float:
        """What sacreBLEU prints behind its plus-minus sign."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same sentences, by one metric."""

    metric: str
    score: float
    other_score: float
    p_bootstrap: float
    """Of the paired bootstrap (Koehn 2004, in the two-sided form of sacreBLEU)."""
    p_randomisation: float
    """Of the paired approximate randomisation (Riezler and Maxwell 2005)."""

    @property
    def difference(self) -> float:
        """Score minus the other's score."""
        return self.score - self.other_score

    @property
    def significant(self) -> bool:
        """Whether both tests find that the systems differ, at the level of 5 %."""
        return max(self.p_bootstrap, self.p_randomisation) < LEVEL


def bootstrap_scores(
    statistics: SentenceStatistics, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Array:
    """Return the scores of `resamples` test sets drawn from the sentences with replacement.

    The same seed draws the same sentences for every system, as paired comparisons need.
    """
    values = statistics.values
    totals = [counts @ values for counts in _draw_counts(len(values), resamples, seed)]
    return scores_of_totals(statistics.metric, np.concatenate(totals))


def interval_of(scores: Array) -> Interval:
    """Return the 95 % interval of bootstrap scores: the smallest and the largest fortieth are cut off."""
    ordered = np.sort(scores)
    cut = len(ordered) // 40
    return Interval(float(ordered[cut]), float(ordered[len(ordered) - cut - 1]), float(ordered.mean()))


def compare(
    one: SentenceStatistics,
    other: SentenceStatistics,
    *,
    resamples: int = RESAMPLES,
    trials: int = TRIALS,
    seed: int = SEED,
) -> Comparison:
    """Test whether two outputs of the same test set differ.

    The tests are those of sacreBLEU with the same seeds. It counts only the samples in which the systems differ by
    more than they do on the test set, and so finds outputs that differ in two or three sentences significantly
    different. Here p is never smaller than swapping the sentences that differ can make it: 1/2, 1/4, 1/8 ... for 2,
    3, 4 of them; outputs of the same scores have p = 1.

    Raises:
        DataError: they are of different metrics, signatures or numbers of sentences.
    """
    if (one.metric, one.signature) != (other.metric, other.signature):
        raise DataError(
            f"scores of different signatures cannot be compared: {one.name} {one.signature} and "
            f"{other.name} {other.signature}."
        )
    if one.sentences != other.sentences:
        raise DataError(
            f"outputs of {one.sentences:,} and {other.sentences:,} sentences cannot be compared; "
            f"both must be of one test set."
        )
    score, other_score = one.score, other.score
    if abs(score - other_score) < _SAME:
        return Comparison(one.metric, score, other_score, 1.0, 1.0)
    differing = np.count_nonzero((one.values != other.values).any(1))
    smallest = 0.5 ** (float(differing) - 1)
    return Comparison(
        one.metric,
        score,
        other_score,
        _bootstrap_test(one, other, resamples, seed),
        max(smallest, _randomisation_test(one, other, trials, seed)),
    )


def _bootstrap_test(one: SentenceStatistics, other: SentenceStatistics, resamples: int, seed: int) -> float:
    """Return how often resampled differences stray from their mean by more than the difference seen."""
    drawn = bootstrap_scores(one, resamples=resamples, seed=seed)
    differences = np.abs(drawn - bootstrap_scores(other, resamples=resamples, seed=seed))
    return p_value_of(differences - differences.mean(), abs(one.score - other.score))


def _randomisation_test(one: SentenceStatistics, other: SentenceStatistics, trials: int, seed: int) -> float:
    """Return how often systems differ by more than the difference seen when sentences are swapped by tossed coins."""
    swapped = other.values - one.values
    both = one.values.sum(0) + other.values.sum(0)
    differences = []
    for swap in _draw_swaps(one.sentences, trials, seed):
        first = one.values.sum(0) + swap @ swapped
        differences.append(
            np.abs(scores_of_totals(one.metric, first) - scores_of_totals(one.metric, both - first))
        )
    return p_value_of(np.concatenate(differences), abs(one.score - other.score))


def p_value_of(samples: Array, seen: float) -> float:
    """Return the p value of a difference: the share of samples larger than what was seen.

    One is added to both counts: the test set itself is a sample too.
    """
    return float((np.count_nonzero(samples > seen + _SAME) + 1) / (len(samples) + 1))


def _draw_counts(sentences: int, resamples: int, seed: int) -> Iterator[Array]:
    """Yield how often each resample has each sentence, of shape (some resamples, sentences)."""
    generator = np.random.default_rng(seed)
    for rows in _parts(resamples, sentences):
        drawn = generator.choice(sentences, size=(rows, sentences), replace=True)
        drawn += np.arange(rows)[:, None] * sentences
        yield np.bincount(drawn.ravel(), minlength=rows * sentences).reshape(rows, sentences).astype(float)


def _draw_swaps(sentences: int, trials: int, seed: int) -> Iterator[Array]:
    """Yield 1 where a trial swaps a sentence, else 0, of shape (some trials, sentences)."""
    generator = np.random.default_rng(seed)
    for rows in _parts(trials, sentences):
        yield generator.integers(2, size=(rows, sentences), dtype=bool).astype(float)


def _parts(rows: int, columns: int) -> Iterator[int]:
    """Yield numbers of rows that sum to `rows`.

    numpy draws 32 coins from each number of its generator and throws the rest away at the end of a call: with parts
    of a multiple of 32 rows the coins are the same as if they were tossed at once.
    """
    most = max(32, _CELLS_AT_ONCE // columns // 32 * 32)
    while rows > 0:
        yield min(rows, most)
        rows -= most
