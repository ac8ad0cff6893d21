"""The places of marks in a translation, from the attention of its pieces.

Shapes: S source, T target pieces. A gap is a number of pieces before it, from 0 to S or T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.text.marked_text import Mark

__all__ = ["Placed", "Placement"]

REACH = 1.5
"""Source pieces over which the weight of a neighbour decreases by e. From 0.7 to 3, BLEU of Multi30k with placeholders
changes by 0.2."""
NEIGHBOURS = 20
"""Source pieces on each side whose places count; those farther away weigh nothing."""
INSIDE = 0.5
"""Attention to an element above which a target piece belongs to it."""

Floats = NDArray[np.float64]
NOWHERE = (-np.inf, 0, 0)


@dataclass(frozen=True)
class Placed:
    """A mark with its place: the gaps between target pieces where it begins and ends."""

    mark: Mark
    start: int
    end: int
    marks: tuple[Placed, ...] = ()
    """Those within it, by their places."""


class Placement:
    """Finds the places of marks.

    Args:
        attention: (T, S + 1), the last column of the source's end.
        source_solids: (S + 1,): characters before each gap of the source, without spaces.
        gaps: gaps of the translation where a mark may stand, with 0 and T.
    """

    def __init__(
        self, attention: NDArray[np.floating[Any]], source_solids: Sequence[int], gaps: Sequence[int]
    ) -> None:
        weights = np.asarray(attention, dtype=np.float64)[:, :-1]
        targets, sources = weights.shape
        if targets > 1 and sources and np.ptp(weights, axis=0).max() < 1e-6:
            # A network without attention says nothing; then both texts are taken to be in the same order.
            nearest = ((np.arange(targets) + 0.5) * sources / targets).astype(int)
            weights = np.eye(sources)[nearest]
        self._weights = weights
        self._shares = weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)
        # Where each source piece is in the translation: a piece that all target pieces look at, often the last one, says
        # little about places.
        self._distributions = weights / np.maximum(weights.sum(0), 1e-9)
        self._source_solids = np.asarray(source_solids)
        self._gaps = np.asarray(gaps)

    def places(self, marks: Sequence[Mark]) -> tuple[Placed, ...]:
        """Return the marks with their places, by place. Elements contain the same marks as before and do not overlap."""
        return self._within(marks, 0, len(self._weights))

    def _within(self, marks: Sequence[Mark], start: int, end: int) -> tuple[Placed, ...]:
        taken: list[tuple[int, int]] = []
        places: dict[int, tuple[int, int]] = {}
        spans = {
            index: self._cumulated_inside(mark) for index, mark in enumerate(marks) if mark.start < mark.end
        }
        # The element that is most certain of its place comes first, undisturbed by the others.
        certain = {index: self._best_range(values, (start, end))[0] for index, values in spans.items()}
        for index in sorted(spans, key=lambda index: (-certain[index], index)):
            value, *place = max(
                (self._best_range(spans[index], interval) for interval in _free(start, end, taken)),
                default=NOWHERE,
            )
            if value > -np.inf:
                places[index] = (place[0], place[1])
                taken.append(places[index])
        for index, mark in enumerate(marks):
            if index not in places:
                gap = self._best_gap(mark.start, start, end, taken)
                places[index] = (gap, gap)
        order = sorted(range(len(marks)), key=lambda index: (*places[index], index))
        return tuple(
            Placed(marks[index], *places[index], self._within(marks[index].marks, *places[index]))
            for index in order
        )

    def _source_gap(self, solid: int) -> int:
        """Return the gap of the source after `solid` characters; within a piece, the one after it."""
        return int(min(np.searchsorted(self._source_solids, solid), self._weights.shape[1]))

    def _cumulated_inside(self, mark: Mark) -> Floats:
        """Return (T + 1,): how much rather the pieces before each gap belong to the element than not."""
        first, last = self._source_gap(mark.start), self._source_gap(mark.end)
        if mark.start < mark.end and first == last:  # a part of one piece
            first = max(0, last - 1)
        inside: Floats = self._shares[:, first:last].sum(1)
        return np.concatenate([[0.0], np.cumsum(inside - INSIDE)])

    def _best_range(self, cumulated: Floats, interval: tuple[int, int]) -> tuple[float, int, int]:
        """Return the value, begin and end of the range with the most pieces of the element; -inf if there is none."""
        best = NOWHERE
        low: int | None = None
        for gap in self._gaps[(self._gaps >= interval[0]) & (self._gaps <= interval[1])].tolist():
            if low is not None and cumulated[gap] - cumulated[low] > best[0]:
                best = (float(cumulated[gap] - cumulated[low]), low, gap)
            if low is None or cumulated[gap] <= cumulated[low]:
                low = gap
        return best

    def _best_gap(self, solid: int, start: int, end: int, taken: Sequence[tuple[int, int]]) -> int:
        """Return the gap that divides the translation as the source is divided after `solid` characters.

        What stands near the gap of the source matters most: in languages with a different order of words, the rest may be
        anywhere.
        """
        source_gap = self._source_gap(solid)
        first = max(0, source_gap - NEIGHBOURS)
        positions = np.arange(first, min(self._weights.shape[1], source_gap + NEIGHBOURS))
        distances = np.where(positions < source_gap, source_gap - 1 - positions, positions - source_gap)
        signs = np.where(positions < source_gap, 1.0, -1.0)
        neighbours = self._distributions[:, first : first + len(positions)]
        # The more of what is before the mark is to the left of a gap, and of what is after it to the right, the better.
        sides = neighbours @ (signs * np.exp(-distances / REACH))
        cumulated = np.concatenate([[0.0], np.cumsum(sides)])
        allowed = self._gaps[(self._gaps >= start) & (self._gaps <= end)]
        for before, after in taken:
            allowed = allowed[(allowed <= before) | (allowed >= after)]
        return int(allowed[cumulated[allowed].argmax()]) if len(allowed) else start


def _free(start: int, end: int, taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the intervals between those that are taken."""
    bounds = [start, *(gap for interval in sorted(taken) for gap in interval), end]
    return [(first, last) for first, last in zip(bounds[::2], bounds[1::2], strict=True) if first < last]
