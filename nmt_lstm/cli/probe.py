"""``nmt-lstm probe``: over which distances does a cell remember? Small tasks, several cells, a plot and a table."""

from __future__ import annotations

import math
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli.arguments import Plugins, load_plugins
from nmt_lstm.cli.messages import note
from nmt_lstm.errors import ConfigurationError, NmtLstmError

if TYPE_CHECKING:
    from nmt_lstm.probes.results_file import ResultsFile
    from nmt_lstm.probes.run import ProbeRun
    from nmt_lstm.probes.summary import Summary
    from nmt_lstm.probes.workers import Event

__all__ = ["probe"]

EXAMPLE = """\b
Examples:
  nmt-lstm probe --cells rnn,gru,lstm --tasks adding,copy -o probes
  nmt-lstm probe --cells lstm,lstm:forget_bias=5 --lengths 200 \\
      --seeds 1,2,3 -o probes
  nmt-lstm probe --plugin mgu.py --cells mgu,lstm -o probes"""

_TELL_EVERY = 15.0  # seconds


def probe(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where results, plots and report are written."),
    ],
    cells: Annotated[
        str,
        typer.Option(
            "--cells",
            metavar="NAMES",
            help="Cells: names or package.module:Class, with options as in lstm:forget_bias=5.",
        ),
    ] = "rnn,gru,lstm",
    tasks: Annotated[
        str,
        typer.Option("--tasks", metavar="NAMES", help="Of adding, copy, parity, dyck, sort, sine; or all."),
    ] = "adding,copy",
    lengths: Annotated[
        str, typer.Option("--lengths", metavar="NUMBERS", help="Distances to remember over.")
    ] = "50,100,200",
    seeds: Annotated[
        str, typer.Option("--seeds", metavar="NUMBERS", help="Each run is done once with each.")
    ] = "1",
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, metavar="N", help="Processes, of one thread. [default: the cores]"),
    ] = None,
    steps: Annotated[
        int, typer.Option("--steps", min=1, metavar="N", help="Training steps per learning rate, at most.")
    ] = 6000,
    learning_rates: Annotated[
        str,
        typer.Option("--learning-rates", metavar="NUMBERS", help="Each is tried until one solves the task."),
    ] = "0.01,0.001",
    hidden_size: Annotated[
        int, typer.Option("--hidden-size", min=1, metavar="N", help="Width of the cell.")
    ] = 64,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, metavar="N", help="Sequences per step.")
    ] = 20,
    time_limit: Annotated[
        str,
        typer.Option("--time-limit", metavar="TIME", help="Processor time of a run, such as 90s or 10m."),
    ] = "2m",
    plugin: Plugins = None,
) -> None:
    """Train cells on memory tasks of growing length: what does each remember, and over which distance?

    What is finished is kept in FOLDER: the same command goes on where it stopped, another one adds to it.
    """
    load_plugins(plugin)
    from nmt_lstm.probes.catalogue import TASKS
    from nmt_lstm.probes.execution import cores
    from nmt_lstm.probes.results_file import ResultsFile
    from nmt_lstm.probes.run import ProbeSettings, plan_runs

    settings = ProbeSettings(
        hidden_size=hidden_size,
        batch_size=batch_size,
        learning_rates=tuple(_rates(learning_rates)),
        steps=steps,
        time_limit=_seconds(time_limit),
    )
    runs = plan_runs(
        _names(cells, "--cells"),
        list(TASKS) if tasks.strip() == "all" else _names(tasks, "--tasks"),
        _numbers(lengths, "--lengths", 1),
        _numbers(seeds, "--seeds", 0),
        settings,
    )
    results = ResultsFile(output)
    chosen = {"--cells": cells, "--tasks": tasks, "--lengths": lengths, "--seeds": seeds, "--steps": str(steps),
              "--learning-rates": learning_rates, "--hidden-size": str(hidden_size),
              "--batch-size": str(batch_size), "--time-limit": time_limit}  # fmt: skip
    words = [word for option, value in chosen.items() for word in (option, value)]
    words += [word for file in plugin or [] for word in ("--plugin", str(file))]
    session = _Session(runs, command=shlex.join(["nmt-lstm", "probe", *words, "-o", str(output)]))
    with results.alone():
        session.perform(results, jobs or cores(), [str(file) for file in plugin or []])


class _Session:
    """One call of the command: what it does, and what it says meanwhile."""

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
        from nmt_lstm.probes.execution import results_of, run_missing

        self._finished = len(results_of(self.runs, results.read()))
        self._say_begin(jobs)
        try:
            for event in run_missing(self.runs, results, jobs=jobs, plugins=plugins):
                self._tell(event)
        except KeyboardInterrupt:
            note(
                f"\nInterrupted: {self._finished} of {len(self.runs)} runs are finished and kept. Go on with:"
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
        from nmt_lstm.probes.record import RunRecord
        from nmt_lstm.probes.summary import number
        from nmt_lstm.probes.workers import Failure

        place = f"[{self._finished + len(self._failures) + 1}/{len(self.runs)}]"
        self._running.pop(event.run.identity, None)
        if isinstance(event, RunRecord):
            best = event.best
            outcome = f"solved in {best.steps:,} steps" if event.solved else f"not solved ({best.stopped})"
            note(
                f"{place} {event.run}: {outcome}, loss {number(event.loss)} (baseline {number(event.baseline)}), "
                f"{event.seconds or 0:.0f} s"
            )
            self._finished += 1
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
        from nmt_lstm.probes.execution import results_of
        from nmt_lstm.probes.report import write_report
        from nmt_lstm.probes.summary import summarise

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
        _show(summary)
        note(f"{', '.join(names)} and {results.path.name} are in {results.folder}.")


def _show(summary: Summary) -> None:
    """Print the tables on stdout."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from nmt_lstm.probes.summary import number

    console = Console(width=None if sys.stdout.isatty() else 40 + 30 * len(summary.cells))
    results = Table("task", "length", "baseline", *summary.cells, box=box.SIMPLE_HEAD)
    for task in summary.tasks:
        for length in summary.lengths(task):
            outcomes = [summary.find(task, length, cell) for cell in summary.cells]
            baseline = next(number(outcome.baseline) for outcome in outcomes if outcome)
            results.add_row(task, str(length), baseline, *(o.text if o else "" for o in outcomes))
    longest = Table("longest length solved", *summary.cells, box=box.SIMPLE_HEAD)
    for task in summary.tasks:
        longest.add_row(task, *(str(summary.longest_solved(task, cell) or "-") for cell in summary.cells))
    console.print(results)
    console.print(longest)


def _names(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ConfigurationError(f"{option} names nothing; write names with commas between them.")
    return names


def _numbers(text: str, option: str, least: int) -> list[int]:
    numbers = []
    for word in _names(text, option):
        if not word.isascii() or not word.isdecimal() or not least <= int(word) <= 100_000:
            raise ConfigurationError(
                f"{option}: '{word}' is no whole number from {least} to 100,000; write numbers with commas between "
                f"them, such as 50,100,200."
            )
        numbers.append(int(word))
    return numbers


def _rates(text: str) -> list[float]:
    rates = []
    for word in _names(text, "--learning-rates"):
        try:
            rate = float(word)
        except ValueError:
            rate = 0.0
        if not 0.0 < rate <= 10.0:
            raise ConfigurationError(
                f"--learning-rates: '{word}' is no number above 0, up to 10; write numbers with commas between them, "
                f"such as 0.01,0.001."
            )
        rates.append(rate)
    return rates


def _seconds(text: str) -> float:
    from nmt_lstm.config.duration import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError as problem:
        raise ConfigurationError(f"--time-limit '{text}' {problem}.") from None
    if seconds is None:
        raise ConfigurationError("--time-limit is empty; give a duration such as 2m.")
    return seconds
