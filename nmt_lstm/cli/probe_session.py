"""A session of ``nmt-lstm probe``: the runs it does, what it says meanwhile, the tables at its end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.messages import note
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.plain_text import printable

if TYPE_CHECKING:
    from nmt_lstm.lab.probes.results_file import ResultsFile
    from nmt_lstm.lab.probes.run import ProbeRun
    from nmt_lstm.lab.probes.summary import Summary

__all__ = ["ProbeSession", "show_tables"]


class ProbeSession:
    """One call of the command.

    Args:
        runs: what is wanted, at least one run.
        command: how a person would ask for it again.
    """

    def __init__(self, runs: list[ProbeRun], *, command: str) -> None:
        self.runs = runs
        self.command = command

    def perform(self, results: ResultsFile, jobs: int, plugins: list[Path]) -> None:
        """Do what is missing, then write and show what there is.

        Raises:
            NmtLstmError: runs failed; all others are done.
            TrainingInterrupted: ctrl-C came; what was finished is kept.
        """
        from nmt_lstm.lab.experiment.execution import run_missing
        from nmt_lstm.lab.probes.job import ProbeJob, results_of
        from nmt_lstm.training.interruption import TrainingInterrupted

        limit = self.runs[0].settings.time_limit
        try:
            failures = run_missing(
                # The long ones first: a long one left for the end would run alone.
                [
                    ProbeJob(run.identity, str(run), run)
                    for run in sorted(self.runs, key=lambda run: -run.length)
                ],
                finished=results_of(self.runs, results.read()),
                store=results.append,
                parallel=jobs,
                plugins=plugins,
                resources=f"with one thread each, at most {limit:g} s of processor time",
                time_limit=limit,
                say=note,
            )
        except TrainingInterrupted:
            finished = len(results_of(self.runs, results.read()))
            note(f"{finished} of {len(self.runs)} runs are finished and kept. To continue:\n  {self.command}")
            self._write(results)
            raise
        self._write(results)
        if failures:
            name, reason = next(iter(failures.items()))
            raise NmtLstmError(
                f"{len(failures)} of {len(self.runs)} runs failed, the first one ({name}: {reason}); "
                f"the others are kept, and the same command tries these again."
            )

    def _write(self, results: ResultsFile) -> None:
        """Write the report and show the tables of the runs that have results."""
        from nmt_lstm.lab.probes.job import results_of
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
