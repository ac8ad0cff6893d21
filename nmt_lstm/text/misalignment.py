"""Signs that lines are not translations of each other: where two texts stop matching, and whether their lengths are related."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_misalignment", "lengths_are_related", "lengths_are_unrelated"]

# Gain in log likelihood that a change of scale must have. Measured on German-English and English-Japanese text: below
# 3 if the lines are aligned, 8 to thousands if one line was removed.
CLEAR_GAIN = 8.0
# Ratios beyond e**2 mean no more than "very different".
MAX_DEVIATION = 2.0
# Lines required on both sides of a change.
MIN_STRETCH = 5
# Correlation of the log lengths, and the lines required to estimate it. Measured on the same text: 0.59 to 0.89 if the
# lines are aligned, -0.03 to 0.24 between unrelated files.
MIN_CORRELATION = 0.4
MIN_RELATED = 30
# Rank correlation below which texts with as many lines are unrelated. Measured on the first lines of the same text and of the
# built-in corpus: 0.57 to 0.89 if the lines are aligned, and 0.40 to 0.87 in any 200 of them; -0.35 to 0.15 if one side is
# shifted by a line.
MAX_UNRELATED = 0.25
MIN_UNRELATED_LINES = 300
# Lists of words and texts of one form have lengths that say nothing: the lowest median length, in characters, and the lowest
# standard deviation of the log lengths; measured 20 to 72, and 0.25 to 0.39.
MIN_LENGTH = 12
MIN_SPREAD = 0.15


def find_misalignment(lengths: Iterable[tuple[int, int]]) -> int | None:
    """Return the line number, from 1, near which the lengths of the lines stop matching, or None.

    The deviations of the log length ratio from its median are modelled as Laplace distributed. The line at which their
    scale most likely increases is returned, if a change there is clearly more likely than none.

    Args:
        lengths: characters of the source line and of the target line, for each line.
    """
    pairs = _logarithms(lengths)
    if len(pairs) < 2 * MIN_STRETCH:
        return None
    ratios = pairs[:, 0] - pairs[:, 1]
    # The constant keeps lines of equal length from having infinite likelihood.
    deviations = np.minimum(np.abs(ratios - np.median(ratios)), MAX_DEVIATION) + 0.01
    return _change(deviations)


def lengths_are_related(lengths: Iterable[tuple[int, int]]) -> bool:
    """Whether the line lengths are correlated, as on two sides of one text; True if there are too few lines.

    Args:
        lengths: characters of the source line and of the target line, for each line.
    """
    pairs = _logarithms(lengths)
    if len(pairs) < MIN_RELATED:
        return True
    source, target = (side - side.mean() for side in pairs.T)
    return float(source @ target) >= MIN_CORRELATION * float(np.sqrt((source @ source) * (target @ target)))


def lengths_are_unrelated(lengths: Iterable[tuple[int, int]]) -> bool:
    """Whether the ranks of the line lengths are clearly not correlated, although those of translations would be.

    Pairs with an empty side do not count. False if the lines are few, short, or of about the same length.

    Args:
        lengths: characters of the source line and of the target line, for each line.
    """
    pairs = np.array([pair for pair in lengths if min(pair)], np.int64).reshape(-1, 2)
    if len(pairs) < MIN_UNRELATED_LINES or np.median(pairs, axis=0).min() < MIN_LENGTH:
        return False
    if np.log(pairs).std(axis=0).min() < MIN_SPREAD:
        return False
    return _correlation(_ranks(pairs[:, 0]), _ranks(pairs[:, 1])) < MAX_UNRELATED


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the correlation of values that are not all equal."""
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other) / float(np.sqrt((one @ one) * (other @ other)))


def _ranks(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the rank of each value; equal values have their mean rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(means[places], np.float64)


def _logarithms(lengths: Iterable[tuple[int, int]]) -> NDArray[np.float64]:
    numbers = np.fromiter((number for pair in lengths for number in pair), np.int32)
    return np.asarray(np.log1p(numbers.reshape(-1, 2)), np.float64)


def _change(deviations: NDArray[np.float64]) -> int | None:
    """Return the line, from 1, at which the scale of Laplace deviations (lines,) increases; None if it does not."""
    total = len(deviations)
    sums = np.cumsum(deviations)
    before = np.arange(MIN_STRETCH, total - MIN_STRETCH + 1)
    scale_before = sums[before - 1] / before
    scale_after = (sums[-1] - sums[before - 1]) / (total - before)
    # The log likelihood of a Laplace sample at its best scale is -n log(scale), up to a constant.
    gains = (
        total * np.log(sums[-1] / total)
        - before * np.log(scale_before)
        - (total - before) * np.log(scale_after)
    )
    best = int(np.argmax(gains))
    if gains[best] < CLEAR_GAIN or scale_after[best] < scale_before[best]:
        return None
    return int(before[best]) + 1
