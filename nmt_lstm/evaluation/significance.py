"""Confidence intervals of scores and tests of two systems: bootstrap and approximate randomisation."""

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
    "Interval",
    "PairedTest",
    "bootstrap_scores",
    "compare",
    "interval_of",
    "p_value_of",
]

Array = NDArray[np.float64]

# The values of sacreBLEU, so that p values agree with it.
SEED = 12345
RESAMPLES = 1_000
TRIALS = 10_000
LEVEL = 0.05
_MAX_BLOCK = 1 << 22  # elements of the matrix of samples and sentences: 32 MiB
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Interval:
    """A 95 % interval of a score, from bootstrap resamples (Koehn 2004)."""

    low: float
    high: float
    mean: float
    """Mean of the resamples, which sacreBLEU prints as the centre of its interval."""


@dataclass(frozen=True)
class PairedTest:
    """Result of testing whether two systems differ on the same sentences, for one metric."""

    metric: str
    score: float
    other_score: float
    p_bootstrap: float
    """p value of the paired bootstrap (Koehn 2004, in the two-sided form of sacreBLEU)."""
    p_randomisation: float
    """p value of paired approximate randomisation (Riezler and Maxwell 2005)."""

    @property
    def difference(self) -> float:
        """Difference of the two scores."""
        return self.score - self.other_score

    @property
    def significant(self) -> bool:
        """Whether both tests find a difference at the 5 % level."""
        return max(self.p_bootstrap, self.p_randomisation) < LEVEL


def bootstrap_scores(
    statistics: SentenceStatistics, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Array:
    """Return the scores (resamples,) of test sets drawn from the sentences with replacement.

    The same seed draws the same sentences for every system, as paired tests require.
    """
    values = statistics.values
    totals = [counts @ values for counts in _draw_counts(len(values), resamples, seed)]
    return scores_of_totals(statistics.metric, np.concatenate(totals))


def interval_of(scores: Array) -> Interval:
    """Return the 95 % interval of bootstrap scores (resamples,), without the lowest and the highest 2.5 %."""
    ordered = np.sort(scores)
    tail = len(ordered) // 40
    return Interval(float(ordered[tail]), float(ordered[len(ordered) - tail - 1]), float(ordered.mean()))


def compare(
    one: SentenceStatistics,
    other: SentenceStatistics,
    *,
    resamples: int = RESAMPLES,
    trials: int = TRIALS,
    seed: int = SEED,
) -> PairedTest:
    """Test whether two outputs of the same test set differ.

    The tests are those of sacreBLEU, with the same seeds. Since sacreBLEU counts only samples with a strictly larger
    difference, it finds outputs significantly different that differ in only two or three sentences. Here p has a lower
    limit, the share of all ways to swap the differing sentences that give this difference: 1/2, 1/4, 1/8 ... for 2, 3,
    4 sentences. Outputs with equal scores have p = 1.

    Raises:
        DataError: the metrics, signatures or numbers of sentences differ.
    """
    if (one.metric, one.signature) != (other.metric, other.signature):
        raise DataError(
            f"scores with different signatures cannot be compared: {one.name} {one.signature} and "
            f"{other.name} {other.signature}."
        )
    if one.sentences != other.sentences:
        raise DataError(
            f"outputs of {one.sentences:,} and {other.sentences:,} sentences cannot be compared; "
            f"both must be translations of one test set."
        )
    score, other_score = one.score, other.score
    if abs(score - other_score) < _ROUNDING:
        return PairedTest(one.metric, score, other_score, 1.0, 1.0)
    differing = np.count_nonzero((one.values != other.values).any(1))
    lower_limit = 0.5 ** (float(differing) - 1)
    return PairedTest(
        one.metric,
        score,
        other_score,
        _bootstrap_test(one, other, resamples, seed),
        max(lower_limit, _randomisation_test(one, other, trials, seed)),
    )


def _bootstrap_test(one: SentenceStatistics, other: SentenceStatistics, resamples: int, seed: int) -> float:
    """Return the p value: how often resampled differences deviate from their mean by more than the observed one."""
    drawn = bootstrap_scores(one, resamples=resamples, seed=seed)
    differences = np.abs(drawn - bootstrap_scores(other, resamples=resamples, seed=seed))
    # Centred, as under the null hypothesis: the resamples themselves scatter around the observed difference.
    return p_value_of(differences - differences.mean(), abs(one.score - other.score))


def _randomisation_test(one: SentenceStatistics, other: SentenceStatistics, trials: int, seed: int) -> float:
    """Return the p value: how often randomly swapping sentences gives a larger difference than the observed one."""
    # Swapping a sentence adds its change to one system and subtracts it from the other, so one product is enough.
    changes = other.values - one.values
    both = one.values.sum(0) + other.values.sum(0)
    differences = []
    for swap in _draw_swaps(one.sentences, trials, seed):
        first = one.values.sum(0) + swap @ changes
        differences.append(
            np.abs(scores_of_totals(one.metric, first) - scores_of_totals(one.metric, both - first))
        )
    return p_value_of(np.concatenate(differences), abs(one.score - other.score))


def p_value_of(samples: Array, observed: float) -> float:
    """Return the p value of a difference: the share of samples (samples,) that are larger.

    One is added to both counts, because the test set itself is a sample.
    """
    return float((np.count_nonzero(samples > observed + _ROUNDING) + 1) / (len(samples) + 1))


def _draw_counts(sentences: int, resamples: int, seed: int) -> Iterator[Array]:
    """Yield blocks (resamples, sentences) of how often each resample contains each sentence."""
    generator = np.random.default_rng(seed)
    for rows in _block_rows(resamples, sentences):
        drawn = generator.choice(sentences, size=(rows, sentences), replace=True)
        # Each row gets its own range of numbers, so that one bincount counts all rows.
        drawn += np.arange(rows)[:, None] * sentences
        yield np.bincount(drawn.ravel(), minlength=rows * sentences).reshape(rows, sentences).astype(float)


def _draw_swaps(sentences: int, trials: int, seed: int) -> Iterator[Array]:
    """Yield blocks (trials, sentences) with 1 where a trial swaps a sentence, otherwise 0."""
    generator = np.random.default_rng(seed)
    for rows in _block_rows(trials, sentences):
        yield generator.integers(2, size=(rows, sentences), dtype=bool).astype(float)


def _block_rows(rows: int, columns: int) -> Iterator[int]:
    """Yield numbers of rows that sum to `rows`.

    NumPy draws 32 booleans from each number of its generator and discards the rest at the end of a call: with blocks of
    a multiple of 32 rows, they are the same as if all were drawn at once.
    """
    most = max(32, _MAX_BLOCK // columns // 32 * 32)
    while rows > 0:
        yield min(rows, most)
        rows -= most
