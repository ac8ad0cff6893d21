"""What results come to: each cell, task and length over its seeds, and the longest length that a cell has solved."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nmt_lstm.lab.probes.record import RunRecord

__all__ = ["Outcome", "Summary", "number", "summarise"]


@dataclass(frozen=True)
class Outcome:
    """One cell on one task and length."""

    cell: str
    task: str
    length: int
    records: tuple[RunRecord, ...]
    """One for each seed."""

    @property
    def baseline(self) -> float:
        """The loss of a network that remembers nothing."""
        return self.records[0].baseline

    @property
    def loss(self) -> float:
        """The median of the seeds' last losses."""
        return statistics.median(record.loss for record in self.records)

    @property
    def solved_seeds(self) -> int:
        """How many seeds solved it."""
        return sum(record.solved for record in self.records)

    @property
    def solved(self) -> bool:
        """Whether more than half of the seeds solved it."""
        return 2 * self.solved_seeds > len(self.records)

    @property
    def steps(self) -> int:
        """The median of the steps until it was solved, over the seeds that did; 0 without any."""
        steps = [record.best.steps for record in self.records if record.solved]
        return round(statistics.median(steps)) if steps else 0

    @property
    def seconds(self) -> float:
        """Processor time of all seeds and attempts."""
        return math.fsum(record.seconds or 0.0 for record in self.records)

    @property
    def text(self) -> str:
        """The outcome in a few words, for a cell of a table."""
        share = f"{self.solved_seeds} of {len(self.records)} " if len(self.records) > 1 else ""
        note = " (time limit)" if any(record.cut_short for record in self.records) else ""
        if self.solved_seeds:
            return f"{number(self.loss)}, {share}solved, {self.steps:,} steps{note}"
        return f"{number(self.loss)}{note}"


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
        """Lengths of a task, from short to long."""
        return sorted({outcome.length for outcome in self.outcomes if outcome.task == task})

    def find(self, task: str, length: int, cell: str) -> Outcome | None:
        """Return one outcome, if its runs are done."""
        wanted = (task, length, cell)
        return next((o for o in self.outcomes if (o.task, o.length, o.cell) == wanted), None)

    def longest_solved(self, task: str, cell: str) -> int | None:
        """Return the longest length that more than half of the seeds solved, if there is one."""
        solved = [o.length for o in self.outcomes if (o.task, o.cell) == (task, cell) and o.solved]
        return max(solved, default=None)


def summarise(
    records: Iterable[tuple[str, RunRecord]], *, cells: Sequence[str], tasks: Sequence[str]
) -> Summary:
    """Put (label of the cell, record) together over the seeds.

    Outcomes stand in the order of `tasks` and `cells`, lengths from short to long.
    """
    groups: dict[tuple[int, int, int], list[RunRecord]] = {}
    for label, record in records:
        key = (tasks.index(record.run.task), record.run.length, cells.index(label))
        groups.setdefault(key, []).append(record)
    return Summary(
        tuple(
            Outcome(cells[cell], tasks[task], length, tuple(found))
            for (task, length, cell), found in sorted(groups.items(), key=lambda item: item[0])
        )
    )


def number(value: float) -> str:
    """Return a loss in three digits."""
    if not math.isfinite(value):
        return "diverged"
    return f"{value:.3g}"
