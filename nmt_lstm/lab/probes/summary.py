"""A summary of results: outcomes over seeds, and the longest length that each cell solved."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nmt_lstm.lab.probes.result import ProbeResult

__all__ = ["Outcome", "Summary", "loss_text", "summarise"]


@dataclass(frozen=True)
class Outcome:
    """A cell on a task of one length, over all seeds."""

    cell: str
    task: str
    length: int
    results: tuple[ProbeResult, ...]
    """One for each seed."""

    @property
    def baseline(self) -> float:
        """The loss of a network without memory."""
        return self.results[0].baseline

    @property
    def loss(self) -> float:
        """The median of the last losses."""
        return statistics.median(result.loss for result in self.results)

    @property
    def solved_seeds(self) -> int:
        """Number of seeds that solved it."""
        return sum(result.solved for result in self.results)

    @property
    def solved(self) -> bool:
        """Whether more than half of the seeds solved it."""
        return 2 * self.solved_seeds > len(self.results)

    @property
    def steps(self) -> int:
        """The median number of steps of the seeds that solved it; 0 if none did."""
        steps = [result.best.steps for result in self.results if result.solved]
        return round(statistics.median(steps)) if steps else 0

    @property
    def seconds(self) -> float:
        """Processor time of all seeds and attempts."""
        return math.fsum(result.seconds or 0.0 for result in self.results)

    @property
    def text(self) -> str:
        """A short description, for a cell of a table."""
        share = f"{self.solved_seeds} of {len(self.results)} " if len(self.results) > 1 else ""
        note = " (time limit)" if any(result.out_of_time for result in self.results) else ""
        if self.solved_seeds:
            return f"{loss_text(self.loss)}, {share}solved, {self.steps:,} steps{note}"
        return f"{loss_text(self.loss)}{note}"


@dataclass(frozen=True)
class Summary:
    """All outcomes."""

    outcomes: tuple[Outcome, ...]

    @property
    def cells(self) -> list[str]:
        """Labels of the cells, in order."""
        return list(dict.fromkeys(outcome.cell for outcome in self.outcomes))

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks, in order."""
        return list(dict.fromkeys(outcome.task for outcome in self.outcomes))

    def lengths(self, task: str) -> list[int]:
        """Lengths of a task in ascending order."""
        return sorted({outcome.length for outcome in self.outcomes if outcome.task == task})

    def find(self, task: str, length: int, cell: str) -> Outcome | None:
        """Return an outcome; None without finished runs."""
        key = (task, length, cell)
        return next((each for each in self.outcomes if (each.task, each.length, each.cell) == key), None)

    def longest_solved(self, task: str, cell: str) -> int | None:
        """Return the longest length that more than half of the seeds solved; None if there is none."""
        key = (task, cell)
        solved = [each.length for each in self.outcomes if (each.task, each.cell) == key and each.solved]
        return max(solved, default=None)


def summarise(
    results: Iterable[tuple[str, ProbeResult]], *, cells: Sequence[str], tasks: Sequence[str]
) -> Summary:
    """Group (label of the cell, result) over the seeds.

    Outcomes are in the order of `tasks`, lengths and `cells`.
    """
    groups: dict[tuple[int, int, int], list[ProbeResult]] = {}
    for label, result in results:
        key = (tasks.index(result.run.task), result.run.length, cells.index(label))
        groups.setdefault(key, []).append(result)
    return Summary(
        tuple(
            Outcome(cells[cell], tasks[task], length, tuple(group))
            for (task, length, cell), group in sorted(groups.items(), key=lambda item: item[0])
        )
    )


def loss_text(value: float) -> str:
    """Return a loss with three digits."""
    return f"{value:.3g}" if math.isfinite(value) else "diverged"
