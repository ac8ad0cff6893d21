"""``nmt-lstm probe``: how far back do cells remember? Training runs on synthetic tasks, with a report."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import Plugins, load_plugins, parse_lengths, parse_time_limit
from nmt_lstm.cli.messages import note
from nmt_lstm.cli.output_folders import check_folder_path
from nmt_lstm.errors import ConfigurationError, NmtLstmError
from nmt_lstm.plain_text import printable

if TYPE_CHECKING:
    from nmt_lstm.lab.probes.results_file import ResultsFile
    from nmt_lstm.lab.probes.run import ProbeRun
    from nmt_lstm.lab.probes.summary import Summary

__all__ = ["probe"]

EPILOG = """\b
Examples:
  nmt-lstm probe --cells rnn,gru,lstm --tasks adding,copy -o probes
  nmt-lstm probe --cells lstm,lstm:forget_bias=5 --lengths 200 \\
      --seeds 1,2,3 -o probes
  nmt-lstm probe --plugin mgu.py --cells mgu,lstm -o probes"""


def probe(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder for results, plots and report."),
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
        typer.Option(
            "--tasks", metavar="NAMES", help="Tasks: adding, copy, parity, dyck, sort, sine; or all."
        ),
    ] = "adding,copy",
    lengths: Annotated[
        str, typer.Option("--lengths", metavar="NUMBERS", help="Sequence lengths.")
    ] = "50,100,200",
    seeds: Annotated[
        str, typer.Option("--seeds", metavar="NUMBERS", help="Seeds; each run is repeated with each seed.")
    ] = "1",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", min=1, metavar="N", help="Single-threaded processes. [default: number of cores]"
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option("--steps", min=1, metavar="N", help="Maximum number of steps per learning rate.")
    ] = 6000,
    learning_rates: Annotated[
        str,
        typer.Option(
            "--learning-rates",
            metavar="NUMBERS",
            help="Learning rates, tried in this order until one solves the task.",
        ),
    ] = "0.01,0.001",
    hidden_size: Annotated[
        int, typer.Option("--hidden-size", min=1, metavar="N", help="Hidden size of the cell.")
    ] = 64,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, metavar="N", help="Sequences per step.")
    ] = 20,
    clip_norm: Annotated[
        float,
        typer.Option("--clip-norm", min=0.0, metavar="X", help="Gradient clipping norm; 0 turns it off."),
    ] = 1.0,
    time_limit: Annotated[
        str,
        typer.Option("--time-limit", metavar="TIME", help="CPU time per run, such as 90s or 10m."),
    ] = "2m",
    plugin: Plugins = None,
) -> None:
    """Measure how far back cells remember, on synthetic tasks.

    Finished runs are kept in FOLDER: repeat the command to continue it, or change it to add runs.
    """
    rates, seconds = _rates(learning_rates), parse_time_limit(time_limit)
    if not math.isfinite(clip_norm):
        raise ConfigurationError(f"--clip-norm is {clip_norm}; give a finite number, or 0 for no clipping.")
    from nmt_lstm.lab.comparison.factors import parse_seeds, split_values

    cell_names = split_values(cells, "--cells")
    check_folder_path(output)
    if not plugin:
        early_checks.check_cells(cell_names)
    task_names, sizes, seed_numbers = (
        split_values(tasks, "--tasks"),
        parse_lengths(lengths),
        parse_seeds(seeds),
    )
    load_plugins(plugin)
    from nmt_lstm.lab.probes.catalogue import TASKS
    from nmt_lstm.lab.probes.results_file import ResultsFile
    from nmt_lstm.lab.probes.run import ProbeSettings, plan_runs
    from nmt_lstm.numerics.threads import usable_cores

    settings = ProbeSettings(
        hidden_size=hidden_size,
        batch_size=batch_size,
        learning_rates=rates,
        clip_norm=clip_norm,
        steps=steps,
        time_limit=seconds,
    )
    task_names = tuple(TASKS) if task_names == ("all",) else task_names
    runs = plan_runs(cell_names, task_names, sizes, seed_numbers, settings)
    results = ResultsFile(output)
    words = ["--cells", cells, "--tasks", tasks, "--lengths", lengths, "--seeds", seeds]
    texts = {
        "steps": str(steps),
        "learning_rates": learning_rates,
        "hidden_size": str(hidden_size),
        "batch_size": str(batch_size),
        "clip_norm": f"{clip_norm:g}",
        "time_limit": time_limit,
    }
    defaults = ProbeSettings()
    for name, text in texts.items():
        if getattr(settings, name) != getattr(defaults, name):
            words += [f"--{name.replace('_', '-')}", text]
    words += [word for file in plugin or [] for word in ("--plugin", str(file))]
    command = shlex.join(["nmt-lstm", "probe", *words, "-o", str(output)])
    with results.alone():
        run_probe(runs, results, jobs=jobs or usable_cores(), plugins=plugin or [], command=command)


def _rates(text: str) -> tuple[float, ...]:
    from nmt_lstm.lab.comparison.factors import split_values

    rates = []
    for word in split_values(text, "--learning-rates"):
        try:
            rate = float(word)
        except ValueError:
            rate = 0.0
        if not 0.0 < rate <= 10.0:
            raise ConfigurationError(
                f"--learning-rates: '{word}' is not a number above 0 and up to 10; write numbers such as 0.01,0.001.",
                key="--learning-rates",
                value=word,
            )
        rates.append(rate)
    return tuple(rates)


def run_probe(
    runs: Sequence[ProbeRun], results: ResultsFile, *, jobs: int, plugins: Sequence[Path], command: str
) -> None:
    """Do the runs that have no result yet, then write the report and show its tables.

    Args:
        runs: at least one.
        results: of earlier calls; new ones are appended.
        jobs: the number of processes.
        plugins: files for the processes to load.
        command: repeats this call.

    Raises:
        NmtLstmError: a run failed; all others are done.
        TrainingInterrupted: ctrl-C was pressed; finished runs are kept.
    """
    from nmt_lstm.lab.experiment.execution import run_missing
    from nmt_lstm.lab.probes.result import results_of
    from nmt_lstm.lab.probes.training import ProbeJob
    from nmt_lstm.training.interruption import TrainingInterrupted

    limit = runs[0].settings.time_limit
    # The long runs first: a long one at the end would leave the other processes idle.
    order = sorted(runs, key=lambda run: -run.length)
    try:
        failures = run_missing(
            [ProbeJob(run.identity, str(run), run) for run in order],
            finished=results_of(runs, results.read()),
            store=results.append,
            parallel=jobs,
            plugins=plugins,
            resources=f"with one thread each, at most {limit:g} s of processor time",
            time_limit=limit,
            say=note,
        )
    except TrainingInterrupted:
        finished = len(results_of(runs, results.read()))
        note(f"{finished} of {len(runs)} runs are finished and kept. To continue:\n  {command}")
        _report(runs, results, command)
        raise
    _report(runs, results, command)
    if failures:
        name, reason = next(iter(failures.items()))
        raise NmtLstmError(
            f"{len(failures)} of {len(runs)} runs failed, the first of them {name}: {reason}. The results of the others "
            f"are kept; repeat the command to retry."
        )


def _report(runs: Sequence[ProbeRun], results: ResultsFile, command: str) -> None:
    """Write the report and show the tables of the runs that have results."""
    from nmt_lstm.lab.probes.report import write_report
    from nmt_lstm.lab.probes.result import results_of
    from nmt_lstm.lab.probes.summary import summarise

    finished = results_of(runs, results.read())
    if not finished:
        return
    # The labels of this call: an earlier one may have written the options of a cell in a different order.
    labels = {run.identity: run.cell.label for run in runs}
    summary = summarise(
        [(labels[identity], result) for identity, result in finished.items()],
        cells=list(dict.fromkeys(run.cell.label for run in runs)),
        tasks=list(dict.fromkeys(run.task for run in runs)),
    )
    names = write_report(
        results.folder, summary, runs[0].settings, command=command, missing=len(runs) - len(finished)
    )
    _show_tables(summary)
    note(f"{', '.join(names)} and {results.path.name} are in {results.folder}.")


def _show_tables(summary: Summary) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from nmt_lstm.lab.probes.summary import loss_text

    headings = [printable(cell) for cell in summary.cells]
    console = Console(width=None if sys.stdout.isatty() else 40 + 30 * len(summary.cells))
    losses = Table("task", "length", "baseline", *headings, box=box.SIMPLE_HEAD)
    for task in summary.tasks:
        for length in summary.lengths(task):
            outcomes = [summary.find(task, length, cell) for cell in summary.cells]
            baseline = next(loss_text(outcome.baseline) for outcome in outcomes if outcome)
            texts = [outcome.text if outcome else "" for outcome in outcomes]
            losses.add_row(task, str(length), baseline, *texts)
    longest = Table("longest length solved", *headings, box=box.SIMPLE_HEAD)
    for task in summary.tasks:
        longest.add_row(task, *(str(summary.longest_solved(task, cell) or "-") for cell in summary.cells))
    console.print(losses)
    console.print(longest)
