"""Timing within a process: warm-up left out, repeated, the median with its spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Repeated:
    """Seconds or rates of several repetitions."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.values)

    def spread(self, digits: int = 0) -> str:
        """The smallest and the largest, as words."""
        low, high = min(self.values), max(self.values)
        return f"median of {len(self.values)}, {low:,.{digits}f} to {high:,.{digits}f}"


def seconds(function: Callable[[], object], *, repetitions: int, at_least: float = 0.05) -> Repeated:
    """Time calls after a warm-up; each repetition calls often enough to last `at_least` seconds."""
    function()
    begin = time.perf_counter()
    function()
    calls = max(1, round(at_least / max(time.perf_counter() - begin, 1e-7)))
    found = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        for _ in range(calls):
            function()
        found.append((time.perf_counter() - begin) / calls)
    return Repeated(tuple(found))
