"""Finding the line from which two texts of different length are no longer translations of each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_misalignment", "lengths_are_related"]

# Natural-log likelihood that a change of scale must win. Measured on German-English and English-Japanese text:
# below 3 where the lines agree, 8 to thousands where one line was taken out.
CLEAR_GAIN = 8.0
# Ratios beyond e**2 say no more than "very different".
LARGEST_DEVIATION = 2.0
# Lines needed on both sides of a change.
SHORTEST_STRETCH = 5
# Correlation of the logarithms of the lengths, and the lines needed to tell. Measured on the same text: 0.59 to 0.89
# where the lines agree, -0.03 to 0.24 between files that have nothing to do with each other.
SMALLEST_CORRELATION = 0.4
FEWEST_RELATED = 30


def find_misalignment(lengths: Iterable[tuple[int, int]]) -> int | None:
    """Return the number of the line, from 1, near which the lengths of the lines stop agreeing, or None.

    The deviations of the log length ratio from its median are taken as Laplace distributed; the most likely line
    at which their scale grows is returned, if it is clearly more likely than no change.

    Args:
        lengths: characters of the source and of the target line, line by line.
    """
    pairs = _logarithms(lengths)
    if len(pairs) < 2 * SHORTEST_STRETCH:
        return None
    ratios = pairs[:, 0] - pairs[:, 1]
    # The small addition keeps lines of equal length from being infinitely likely.
    deviations = np.minimum(np.abs(ratios - np.median(ratios)), LARGEST_DEVIATION) + 0.01
    return _change(deviations)


def lengths_are_related(lengths: Iterable[tuple[int, int]]) -> bool:
    """Whether long lines stand beside long ones, as in two sides of one text; True where too few lines tell.

    Args:
        lengths: characters of the source and of the target line, line by line.
    """
    pairs = _logarithms(lengths)
    if len(pairs) < FEWEST_RELATED:
        return True
    source, target = (side - side.mean() for side in pairs.T)
    return float(source @ target) >= SMALLEST_CORRELATION * float(
        np.sqrt((source @ source) * (target @ target))
    )


def _logarithms(lengths: Iterable[tuple[int, int]]) -> NDArray[np.float64]:
    numbers = np.fromiter((number for pair in lengths for number in pair), np.int32)
    return np.asarray(np.log1p(numbers.reshape(-1, 2)), np.float64)


def _change(deviations: NDArray[np.float64]) -> int | None:
    total = len(deviations)
    sums = np.cumsum(deviations)
    before = np.arange(SHORTEST_STRETCH, total - SHORTEST_STRETCH + 1)
    scale_before = sums[before - 1] / before
    scale_after = (sums[-1] - sums[before - 1]) / (total - before)
    gains = (
        total * np.log(sums[-1] / total)
        - before * np.log(scale_before)
        - (total - before) * np.log(scale_after)
    )
    best = int(np.argmax(gains))
    if gains[best] < CLEAR_GAIN or scale_after[best] < scale_before[best]:
        return None
    return int(before[best]) + 1
