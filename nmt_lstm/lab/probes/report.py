"""The report of a probe: charts, and tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.lab.probes.catalogue import find_task
from nmt_lstm.lab.probes.pictures import draw_curves, draw_gradient_flow, draw_losses
from nmt_lstm.lab.probes.result import ProbeResult
from nmt_lstm.lab.probes.run import ProbeSettings
from nmt_lstm.lab.probes.summary import Outcome, Summary, loss_text
from nmt_lstm.lab.probes.task import SOLVED_SHARE
from nmt_lstm.lab.report.table import Column, Table

__all__ = ["REPORT", "write_report"]

REPORT = "report.md"
_CHARTS = {
    "probe.svg": draw_losses,
    "learning-curves.svg": draw_curves,
    "gradient-flow.svg": draw_gradient_flow,
}


def write_report(
    folder: Path, summary: Summary, settings: ProbeSettings, *, command: str, missing: int
) -> list[str]:
    """Write the charts and the report, and return the names of the files.

    Args:
        folder: the folder for the files.
        summary: the results, with at least one outcome.
        settings: the training settings of the runs.
        command: the command line.
        missing: number of runs without a result.
    """
    for name, draw in _CHARTS.items():
        write_atomically(folder / name, draw(summary))
    write_atomically(folder / REPORT, _markdown(summary, settings, command, missing))
    return [*_CHARTS, REPORT]


def _markdown(summary: Summary, settings: ProbeSettings, command: str, missing: int) -> str:
    solved = (
        f"A length is solved if the loss on {settings.test_rows:,} test sequences is below {SOLVED_SHARE:.0%} of the baseline "
        f"for more than half of the seeds. A dash means that none was."
    )
    flow = (
        "Each line is the norm of d loss / d state by the distance from the end, relative to that of the last state; the "
        "loss is that of the last answer alone, the state everything that one step passes to the next. Where a line has "
        "fallen to zero, no error reaches what the cell should have remembered (Bengio et al. 1994)."
    )
    results = [result for outcome in summary.outcomes for result in outcome.results]
    parts = ["# Memory probes", f"```sh\n{command}\n```"]
    if missing:
        parts.append(f"**Runs without a result: {missing}.** The same command executes them.")
    parts += [
        "## Longest length solved",
        solved,
        _longest(summary),
        "![Loss by length](probe.svg)",
        "## All results",
        _results(summary),
        "![Learning curves](learning-curves.svg)",
        "## Why: gradient flow through time",
        "![Gradient flow](gradient-flow.svg)",
        flow,
        "## Tasks and baselines",
        "\n".join(_task_line(name) for name in summary.tasks),
        "## Settings",
        _settings(settings),
        _versions(results),
    ]
    return "\n\n".join(parts) + "\n"


def _longest(summary: Summary) -> str:
    rows = [
        [task, *(str(summary.longest_solved(task, cell) or "–") for cell in summary.cells)]
        for task in summary.tasks
    ]
    return Table("", [Column(head) for head in ("task", *summary.cells)], rows).markdown()


def _results(summary: Summary) -> str:
    rows = [
        [
            outcome.task, str(outcome.length), outcome.cell, f"{outcome.results[0].parameters:,}",
            loss_text(outcome.loss), loss_text(outcome.baseline), f"{outcome.loss / outcome.baseline:.3f}",
            f"{outcome.solved_seeds} of {len(outcome.results)}", f"{outcome.steps:,}" if outcome.steps else "–",
            ", ".join(dict.fromkeys(f"{result.best.learning_rate:g}" for result in outcome.results)),
            _largest_gradient(outcome),
            f"{outcome.seconds:.0f}{' (time limit)' if any(each.out_of_time for each in outcome.results) else ''}",
        ]
        for outcome in summary.outcomes
    ]  # fmt: skip
    heads = ["task", "length", "cell", "parameters", "loss", "baseline", "loss / baseline", "solved", "steps to solve",
             "learning rate", "largest gradient", "processor seconds"]  # fmt: skip
    return Table("", [Column(head) for head in heads], rows).markdown()


def _largest_gradient(outcome: Outcome) -> str:
    """Return the largest norm in any attempt, including those before a lower learning rate succeeded."""
    attempts = [attempt for result in outcome.results for attempt in result.attempts]
    if any(attempt.largest_gradient is None and attempt.stopped == "diverged" for attempt in attempts):
        return "not finite"
    known = [attempt.largest_gradient for attempt in attempts if attempt.largest_gradient is not None]
    return f"{max(known):.3g}" if known else "–"


def _task_line(name: str) -> str:
    task = find_task(name)
    return f"- **{name}**: {task.question}. Loss: {task.unit}; baseline: {task.baseline_text}. {task.source}."


def _settings(settings: ProbeSettings) -> str:
    rates = " then ".join(f"{rate:g}" for rate in settings.learning_rates)
    clipping = (
        f"gradients clipped to a norm of {settings.clip_norm:g}"
        if settings.clip_norm
        else "gradients not clipped"
    )
    return (
        f"One layer of size {settings.hidden_size} and a linear readout; batches of {settings.batch_size} new sequences in each "
        f"step; Adam at {rates} (each from scratch, until one solves the task), {clipping}; at most {settings.steps:,} steps "
        f"each, with a test every {settings.check_every:,} steps that ends training once solved; at most "
        f"{settings.time_limit:g} seconds of processor time per run. Sequences have their full length from the first step. "
        f"Cells with the same task, length and seed see the same sequences."
    )


def _versions(results: Sequence[ProbeResult]) -> str:
    software = dict.fromkeys(
        ", ".join(f"{name} {version}" for name, version in result.versions.items()) for result in results
    )
    plugins = dict.fromkeys(
        f"{result.run.cell.name} from {result.distribution['distribution']} {result.distribution['version']}"
        for result in results
        if result.distribution["distribution"] not in ("", "nmt-lstm")
    )
    return f"Made with {'; '.join([*software, *plugins])}."
