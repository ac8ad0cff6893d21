"""The report of a probe: pictures and tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.lab.probes.catalogue import find_task
from nmt_lstm.lab.probes.pictures import draw_curves, draw_gradient_flow, draw_losses
from nmt_lstm.lab.probes.record import RunRecord
from nmt_lstm.lab.probes.run import ProbeSettings
from nmt_lstm.lab.probes.summary import Outcome, Summary, number
from nmt_lstm.lab.probes.task import SOLVED_SHARE
from nmt_lstm.lab.report.table import Column, Table

__all__ = ["REPORT", "write_report"]

REPORT = "report.md"
_PICTURES = {
    "probe.svg": draw_losses,
    "learning-curves.svg": draw_curves,
    "gradient-flow.svg": draw_gradient_flow,
}


def write_report(
    folder: Path, summary: Summary, settings: ProbeSettings, *, command: str, missing: int
) -> list[str]:
    """Write pictures and report into the folder, each whole or not at all, and return the names of the files.

    Args:
        folder: where they go.
        summary: at least one outcome.
        settings: with which the runs were done.
        command: what was typed.
        missing: runs without a result.
    """
    for name, draw in _PICTURES.items():
        write_atomically(folder / name, draw(summary))
    write_atomically(folder / REPORT, _markdown(summary, settings, command, missing))
    return [*_PICTURES, REPORT]


def _markdown(summary: Summary, settings: ProbeSettings, command: str, missing: int) -> str:
    solved = (
        f"Solved means: the loss on {settings.test_rows:,} sequences never trained on is under {SOLVED_SHARE:.0%} of "
        f"the baseline, for more than half of the seeds. A dash: no length was."
    )
    flow = (
        "Each line is the norm of d loss / d state so many positions before the end, relative to that at the last "
        "state; the loss is that of the last answer alone, the state all that passes from step to step. Where a line "
        "has fallen to nothing, no error reaches what the cell should have kept (Bengio et al. 1994)."
    )
    records = [record for outcome in summary.outcomes for record in outcome.records]
    parts = ["# Memory probes", f"```sh\n{command}\n```"]
    if missing:
        parts.append(f"**Runs without a result yet: {missing}.** The same command does them.")
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
        _versions(records),
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
            outcome.task, str(outcome.length), outcome.cell, f"{outcome.records[0].parameters:,}",
            number(outcome.loss), number(outcome.baseline), f"{outcome.loss / outcome.baseline:.3f}",
            f"{outcome.solved_seeds} of {len(outcome.records)}", f"{outcome.steps:,}" if outcome.steps else "–",
            ", ".join(dict.fromkeys(f"{record.best.learning_rate:g}" for record in outcome.records)),
            _largest_gradient(outcome),
            f"{outcome.seconds:.0f}{' (time limit)' if any(r.cut_short for r in outcome.records) else ''}",
        ]
        for outcome in summary.outcomes
    ]  # fmt: skip
    heads = ["task", "length", "cell", "parameters", "loss", "baseline", "loss / baseline", "solved", "steps to solve",
             "learning rate", "largest gradient", "processor seconds"]  # fmt: skip
    return Table("", [Column(head) for head in heads], rows).markdown()


def _largest_gradient(outcome: Outcome) -> str:
    """Return the largest norm in any attempt: an explosion also counts where a lower learning rate then went well."""
    attempts = [attempt for record in outcome.records for attempt in record.attempts]
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
        f"One layer of {settings.hidden_size} and a linear readout; batches of {settings.batch_size} sequences drawn anew "
        f"for each step; Adam at {rates} (each from the start, until one solves the task), {clipping}; "
        f"at most {settings.steps:,} steps each, a test every {settings.check_every:,}, an end when "
        f"solved; at most {settings.time_limit:g} seconds of processor time a run. Sequences have their full length from "
        f"the first step on. Cells of the same task, length and seed see the same sequences."
    )


def _versions(records: Sequence[RunRecord]) -> str:
    made = dict.fromkeys(
        ", ".join(f"{name} {version}" for name, version in record.versions.items()) for record in records
    )
    plugins = dict.fromkeys(
        f"{record.run.cell.name} of {record.distribution['distribution']} {record.distribution['version']}"
        for record in records
        if record.distribution["distribution"] not in ("", "nmt-lstm")
    )
    return f"Made by {'; '.join([*made, *plugins])}."
