"""Timing within a process: after a warm-up, repeated, as a median with its range."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Repeated:
    """Times or rates of several repetitions."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.values)

    def spread(self, digits: int = 0) -> str:
        """Return the number of repetitions, the minimum and the maximum, as text."""
        low, high = min(self.values), max(self.values)
        return f"median of {len(self.values)}, {low:,.{digits}f} to {high:,.{digits}f}"


def seconds(function: Callable[[], object], *, repetitions: int, at_least: float = 0.05) -> Repeated:
    """Time calls after a warm-up; each repetition has enough calls to last `at_least` seconds."""
    function()
    begin = time.perf_counter()
    function()
    calls = max(1, round(at_least / max(time.perf_counter() - begin, 1e-7)))
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        for _ in range(calls):
            function()
        times.append((time.perf_counter() - begin) / calls)
    return Repeated(tuple(times))


def alternating(
    call: Callable[[Subject], object], one: Subject, other: Subject, repetitions: int
) -> tuple[float, float]:
    """Return the median processor times, in ms, of a call on each of two subjects.

    They alternate, after a warm-up, so that a machine that slows down affects both.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for repetition in range(repetitions + 1):
        for subject, values in zip((one, other), times, strict=True):
            begin, calls = time.process_time(), 0
            while not calls or time.process_time() - begin < 0.02:
                call(subject)
                calls += 1
            if repetition:
                values.append(1e3 * (time.process_time() - begin) / calls)
    return statistics.median(times[0]), statistics.median(times[1])
