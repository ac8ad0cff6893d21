"""A session of ``nmt-lstm probe``: the runs it does, what it says meanwhile, the tables at its end."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from typing import TYPE_CHECKING

from nmt_lstm.cli.messages import note
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.plain_text import printable

if TYPE_CHECKING:
    from nmt_lstm.lab.probes.results_file import ResultsFile
    from nmt_lstm.lab.probes.run import ProbeRun
    from nmt_lstm.lab.probes.summary import Summary
    from nmt_lstm.lab.probes.workers import Event

__all__ = ["ProbeSession", "show_tables"]

_TELL_EVERY = 15.0  # seconds


class ProbeSession:
    """One call of the command.

    Args:
        runs: what is wanted, at least one run.
        command: how a person would ask for it again.
    """

    def __init__(self, runs: list[ProbeRun], *, command: str) -> None:
        self.runs = runs
        self.command = command
        self._finished = 0
        self._failures: list[str] = []
        self._running: dict[str, str] = {}
        self._told = time.monotonic()

    def perform(self, results: ResultsFile, jobs: int, plugins: list[str]) -> None:
        """Do what is missing, then write and show what there is.

        Raises:
            NmtLstmError: runs failed; all others are done.
            KeyboardInterrupt: ctrl-C came; what was finished is kept.
        """
        from nmt_lstm.lab.probes.execution import results_of, run_missing

        self._finished = len(results_of(self.runs, results.read()))
        self._say_begin(jobs)
        try:
            with contextlib.closing(run_missing(self.runs, results, jobs=jobs, plugins=plugins)) as events:
                for event in events:
                    self._tell(event)
        except KeyboardInterrupt:
            note(
                f"\nInterrupted: {self._finished} of {len(self.runs)} runs are finished and kept. To continue:"
            )
            note(f"  {self.command}")
            self._write(results)
            raise
        self._write(results)
        if self._failures:
            raise NmtLstmError(
                f"{len(self._failures)} of {len(self.runs)} runs failed, the first one ({self._failures[0]}); "
                f"the others are kept, and the same command tries these again."
            )

    def _say_begin(self, jobs: int) -> None:
        missing = len(self.runs) - self._finished
        if self._finished:
            note(f"{self._finished} of {len(self.runs)} runs are done already.")
        if missing:
            limit = self.runs[0].settings.time_limit
            rounds = -(-missing // jobs)
            note(
                f"{missing} runs, {min(jobs, missing)} at a time, at most {limit:g} s of processor time each: "
                f"{math.ceil(rounds * limit / 60)} min or less."
            )

    def _tell(self, event: Event) -> None:
        from nmt_lstm.lab.probes.record import RunRecord
        from nmt_lstm.lab.probes.summary import number
        from nmt_lstm.lab.probes.workers import Failure

        place = f"[{self._finished + len(self._failures) + 1}/{len(self.runs)}]"
        self._running.pop(event.run.identity, None)
        if isinstance(event, RunRecord):
            best = event.best
            outcome = f"solved in {best.steps:,} steps" if event.solved else f"not solved ({best.stopped})"
            self._finished += 1  # it is in the file, and ctrl-C may come as soon as this is told
            note(
                f"{place} {event.run}: {outcome}, loss {number(event.loss)} (baseline {number(event.baseline)}), "
                f"{event.seconds or 0:.0f} s"
            )
        elif isinstance(event, Failure):
            self._failures.append(f"{event.run}: {event.reason}")
            note(f"{place} {event.run}: failed: {event.reason}")
        else:
            self._running[event.run.identity] = (
                f"{event.run}: step {event.step:,} at {event.learning_rate:g}, loss {number(event.loss)}"
            )
            if time.monotonic() - self._told < _TELL_EVERY:
                return
            for line in self._running.values():
                note(f"  {line}")
        self._told = time.monotonic()

    def _write(self, results: ResultsFile) -> None:
        """Write the report and show the tables of the runs that have results."""
        from nmt_lstm.lab.probes.execution import results_of
        from nmt_lstm.lab.probes.report import write_report
        from nmt_lstm.lab.probes.summary import summarise

        found = results_of(self.runs, results.read())
        if not found:
            return
        labels = {run.identity: run.cell.label for run in self.runs}
        # A record may come from a command that wrote the same cell in other words.
        summary = summarise(
            [(labels[identity], record) for identity, record in found.items()],
            cells=list(dict.fromkeys(run.cell.label for run in self.runs)),
            tasks=list(dict.fromkeys(run.task for run in self.runs)),
        )
        names = write_report(
            results.folder,
            summary,
            self.runs[0].settings,
            command=self.command,
            missing=len(self.runs) - len(found),
        )
        show_tables(summary)
        note(f"{', '.join(names)} and {results.path.name} are in {results.folder}.")


def show_tables(summary: Summary) -> None:
    """Print the tables on stdout."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from nmt_lstm.lab.probes.summary import number

    heads = [printable(cell) for cell in summary.cells]
    console = Console(width=None if sys.stdout.isatty() else 40 + 30 * len(summary.cells))
    results = Table("task", "length", "baseline", *heads, box=box.SIMPLE_HEAD)
    for task in summary.tasks:
        for length in summary.lengths(task):
            outcomes = [summary.find(task, length, cell) for cell in summary.cells]
            baseline = next(number(outcome.baseline) for outcome in outcomes if outcome)
            results.add_row(task, str(length), baseline, *(o.text if o else "" for o in outcomes))
    longest = Table("longest length solved", *heads, box=box.SIMPLE_HEAD)
    for task in summary.tasks:
        longest.add_row(task, *(str(summary.longest_solved(task, cell) or "-") for cell in summary.cells))
    console.print(results)
    console.print(longest)
