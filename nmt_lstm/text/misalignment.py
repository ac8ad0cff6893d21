"""Finding the line from which two texts of different length are no longer translations of each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_misalignment"]

# Natural-log likelihood that a change of scale must win. Measured on German-English and English-Japanese text:
# below 3 where the lines agree, 8 to thousands where one line was taken out.
CLEAR_GAIN = 8.0
# Ratios beyond e**2 say no more than "very different".
LARGEST_DEVIATION = 2.0
# Lines needed on both sides of a change.
SHORTEST_STRETCH = 5


def find_misalignment(lengths: Iterable[tuple[int, int]]) -> int | None:
    """Return the number of the line, from 1, near which the lengths of the lines stop agreeing, or None.

    The deviations of the log length ratio from its median are taken as Laplace distributed; the most likely line
    at which their scale grows is returned, if it is clearly more likely than no change.

    Args:
        lengths: characters of the source and of the target line, line by line.
    """
    pairs = np.fromiter((number for pair in lengths for number in pair), np.int32).reshape(-1, 2)
    if len(pairs) < 2 * SHORTEST_STRETCH:
        return None
    ratios = np.log1p(pairs[:, 0]) - np.log1p(pairs[:, 1])
    # The small addition keeps lines of equal length from being infinitely likely.
    deviations = np.minimum(np.abs(ratios - np.median(ratios)), LARGEST_DEVIATION) + 0.01
    return _change(deviations)


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
