"""The result of a run, and its summary: a table, a diagnosis and the commands to type next."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from nmt_lstm.checkpoint.model_folder import class_advice, trust_option
from nmt_lstm.config.tasks import TASKS, TaskName
from nmt_lstm.evaluation.columns import of_any_size, perplexity
from nmt_lstm.plain_text import count_of, printable
from nmt_lstm.training.diagnosis import ValidationPoint
from nmt_lstm.training.output_folder import resume_command
from nmt_lstm.training.progress import ProgressDisplay, duration, search_name
from nmt_lstm.training.validation import SCORE_LABELS

__all__ = ["FitResult", "show_summary"]


@dataclass(frozen=True)
class FitResult:
    """The result of a training run."""

    folder: Path
    """The model folder."""
    metrics: dict[str, float]
    """ "loss", "perplexity" and the scores of the model on the validation text: "bleu" and "chrf" of a translator."""
    signatures: dict[str, str]
    """sacreBLEU's signatures of "bleu" and "chrf"; the names are those of the scores."""
    beam_size: int
    """Beam size of the validation."""
    averaged_steps: list[int]
    """The optimizer steps after which the weights were taken; several are averaged."""
    steps: int
    """Optimizer steps of the whole run."""
    epochs: int
    """Epochs started."""
    planned_epochs: int
    """Epochs in the settings; 0 for a stream, which has none."""
    out_of_time: bool
    """Whether the time limit came before the end of the last epoch."""
    time_limit: float | None
    """Seconds; None without a limit."""
    narrowed: bool
    """Whether the network is narrower than in the settings, to fit into the time limit."""
    seconds: float
    """Wall-clock time from the start of `fit` to its end, including that before a resume."""
    reason: str
    """Why training stopped."""
    parameters: int
    """Number of trained values."""
    diagnosis: list[str]
    """Why the model is not usable and what to do about it; empty if it translates."""
    fingerprint: str
    """Of the prepared text: the same for the same text and the same preparation settings."""
    curve: list[ValidationPoint]
    """All validations of the run, in the order of their steps."""
    split_batches: int = 0
    """Batches of the whole run and all processes that did not fit into memory and were computed in parts."""
    skipped_steps: int = 0
    """Optimizer steps of the whole run that were skipped because they diverged."""
    returns: int = 0
    """How often the run returned to a checkpoint, each time halving the learning rate."""
    insight: dict[str, str] = field(default_factory=dict)
    """Rows of the summary about gradients; empty unless `insight.gradients` is set."""
    task: TaskName = "translation"
    """What the model is for."""
    validation_sets: dict[str, dict[str, float]] = field(default_factory=dict)
    """The same metrics for each of several validation sets, by its name."""
    tags: tuple[str, ...] = ()
    """The tags of the training text, if all of it has tags."""


def show_summary(display: ProgressDisplay, result: FitResult) -> None:
    """Show the table of results and the next command."""
    averaged, metrics = result.averaged_steps, result.metrics
    steps = ", ".join(f"{step:,}" for step in sorted(averaged))
    search = search_name(result.beam_size)
    rows = {
        "stopped because": result.reason,
        "optimizer steps": f"{result.steps:,}"
        + (
            f" in {result.epochs} of {count_of(result.planned_epochs, 'epoch')}"
            if result.planned_epochs
            else ""
        ),
        **_describe_incidents(result),
        "time": _describe_time(result),
        "parameters": f"{result.parameters:,}",
        "weights": f"average of steps {steps}" if len(averaged) > 1 else f"step {steps}",
        "validation loss": (
            f"{of_any_size(metrics['loss'], 3)} nats per {TASKS[result.task].unit} (perplexity {perplexity(metrics['loss'], 2)})"
            if TASKS[result.task].is_text
            else f"{of_any_size(metrics['loss'], 4)} (mean squared error of standardised values)"
        ),
        **{
            f"validation {SCORE_LABELS.get(name, name)}": f"{metrics[name]:.2f}  {f'{search}  ' if name in ('bleu', 'chrf') else ''}{signature}"
            for name, signature in result.signatures.items()
        },
        **{f"  of {name}": _describe_set(each) for name, each in result.validation_sets.items()},
        **result.insight,
        "model folder": printable(str(result.folder)),
    }
    display.say("")
    if display.console.is_terminal:
        table = Table(
            title="Training finished", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0)
        )
        for row in rows.items():
            table.add_row(*row)
        display.console.print(table, highlight=False, markup=False)
    else:
        for name, value in rows.items():
            display.say(f"{name:<20}{value}")
    if result.diagnosis:
        display.say("\n" + "\n".join(result.diagnosis))
    if result.out_of_time:
        longer = f"{math.ceil(2.0 * result.seconds / 60.0)}m"
        display.say(
            f"\nTraining stopped at the time limit. To continue up to a total of {longer}:\n"
            f"  {resume_command(sys.argv, time_limit=longer)}"
        )
    task, model = TASKS[result.task], f"-m {shlex.quote(str(result.folder))}{trust_option(result.folder)}"
    # A model that was trained with tags only translates text that has one.
    tag = f"--tag {shlex.quote(result.tags[0])} " if result.tags else ""
    commands = [f"nmt-lstm {command} {model} {tag}{arguments}" for command, arguments in task.examples]
    display.say("\n".join([f"\n{task.verb} with it:", *(f"  {command}" for command in commands)]))
    advice = class_advice(result.folder, f"nmt-lstm {task.examples[0][0]} {model}")
    if advice:
        display.say(f"\n{advice}")


def _describe_set(metrics: Mapping[str, float]) -> str:
    """Return the loss and the scores of a validation set."""
    scores = (f"{label} {metrics[name]:.2f}" for name, label in SCORE_LABELS.items() if name in metrics)
    return "  ".join([f"loss {of_any_size(metrics['loss'], 3)}", *scores])


def _describe_incidents(result: FitResult) -> dict[str, str]:
    """Return rows about split batches, skipped steps and returns to a checkpoint, if there were any."""
    rows = {}
    files = f"{printable(str(result.folder / 'logs'))}/divergence-step-*.json"
    if result.split_batches:
        rows["split batches"] = f"{result.split_batches:,}, which did not fit into memory"
    if result.skipped_steps:
        rows["skipped steps"] = f"{result.skipped_steps:,}, which diverged ({files})"
    if result.returns:
        rows["returns"] = (
            f"{result.returns} to an earlier checkpoint; the learning rate is {0.5**result.returns:g} times that of the schedule "
            f"({files})"
        )
    return rows


def _describe_time(result: FitResult) -> str:
    """Return how long the run took, and why it stopped before its time limit if it did."""
    limit, seconds = result.time_limit, duration(result.seconds)
    if not result.out_of_time or limit is None or seconds == duration(limit) or result.seconds > limit:
        return seconds
    return f"{seconds} of {duration(limit)}: training stops early enough for the last validation and writing"
