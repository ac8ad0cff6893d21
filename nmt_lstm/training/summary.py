"""What `fit` says before and after: choices, the table of results and the command to type next."""

from __future__ import annotations

import math
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from nmt_lstm.checkpoint.model_folder import class_advice, trust_option
from nmt_lstm.config.defaults import planned_length
from nmt_lstm.config.schema import OptimizerSettings, TrainingSettings
from nmt_lstm.errors import DivergenceError
from nmt_lstm.evaluation.columns import perplexity
from nmt_lstm.plain_text import printable
from nmt_lstm.text.preparation import Prepared
from nmt_lstm.training.diagnosis import Point
from nmt_lstm.training.output_folder import resume_command
from nmt_lstm.training.progress import ProgressDisplay, duration, search_name
from nmt_lstm.training.session import Session
from nmt_lstm.training.width_choice import Network

__all__ = [
    "FitResult",
    "advice_after_divergence",
    "say_choices",
    "say_how_to_resume",
    "say_text",
    "show_summary",
]


@dataclass(frozen=True)
class FitResult:
    """The result of a training run."""

    folder: Path
    """The model folder."""
    metrics: dict[str, float]
    """ "loss", "perplexity", "bleu" and "chrf" of the model on the validation text."""
    signatures: dict[str, str]
    """sacreBLEU's signatures of "bleu" and "chrf"."""
    beam_size: int
    """Beam of the validation."""
    averaged_steps: list[int]
    """After which optimizer steps the weights were taken; more than one are averaged."""
    steps: int
    """Optimizer steps of the whole training."""
    epochs: int
    """Epochs begun."""
    planned_epochs: int
    """Epochs that were asked for."""
    out_of_time: bool
    """Whether the time limit came before the end of the last epoch."""
    time_limit: float | None
    """Seconds; None without a limit."""
    narrowed: bool
    """Whether a narrower network than asked for was trained, to fit into the time limit."""
    seconds: float
    """Wall-clock time of all sessions, from the start of `fit` to its end."""
    reason: str
    """Why the training stopped."""
    parameters: int
    """Trained values."""
    diagnosis: list[str]
    """Why the model is not usable and what to do about it; empty for one that translates."""
    fingerprint: str
    """Of the prepared text: the same for the same text and the same settings of its preparation."""
    curve: list[Point]
    """The validations of all sessions, in the order of their steps."""


def show_summary(display: ProgressDisplay, result: FitResult) -> None:
    """Show the table of results and the next command."""
    averaged, metrics = result.averaged_steps, result.metrics
    many = len(averaged) > 1
    steps = ", ".join(f"{step:,}" for step in sorted(averaged))
    search = search_name(result.beam_size)
    rows = {
        "stopped because": result.reason,
        "optimizer steps": f"{result.steps:,} in {result.epochs} of {result.planned_epochs} epochs",
        "time": _time(result),
        "parameters": f"{result.parameters:,}",
        "weights": f"average of steps {steps}" if many else f"step {steps}",
        "validation loss": (
            f"{metrics['loss']:.3f} nats per target piece (perplexity {perplexity(metrics['loss'], 2)})"
        ),
        "validation BLEU": f"{metrics['bleu']:.2f}  {search}  {result.signatures['bleu']}",
        "validation chrF": f"{metrics['chrf']:.2f}  {search}  {result.signatures['chrf']}",
        "model folder": printable(str(result.folder)),
    }
    display.say("")
    if display.console.is_terminal:
        table = Table(
            title="Training is done", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0)
        )
        for row in rows.items():
            table.add_row(*row)
        display.console.print(table, highlight=False, markup=False)
    else:
        for name, value in rows.items():
            display.say(f"{name:<18}{value}")
    if result.diagnosis:
        display.say("\n" + "\n".join(result.diagnosis))
    if result.out_of_time:
        longer = f"{math.ceil(2.0 * result.seconds / 60.0)}m"
        display.say(
            f"\nTraining stopped at the time limit. To continue, until {longer} are used in all:\n"
            f"  {resume_command(sys.argv, time_limit=longer)}"
        )
    translate = f"nmt-lstm translate -m {shlex.quote(str(result.folder))}{trust_option(result.folder)}"
    display.say(f"\nTranslate with it:\n  {translate} < in.txt > out.txt\n  {translate} --interactive")
    advice = class_advice(result.folder, translate)
    if advice:
        display.say(f"\n{advice}")


def _time(found: FitResult) -> str:
    """Return how long the training run took and, where it ended before its limit because of that limit, why."""
    limit, taken = found.time_limit, duration(found.seconds)
    if not found.out_of_time or limit is None or taken == duration(limit) or found.seconds > limit:
        return taken
    return f"{taken} of {duration(limit)}: training stops early enough for the last validation and writing"


def say_text(display: ProgressDisplay, prepared: Prepared) -> None:
    """Say how much text there is, and what was left out of it."""
    if not prepared.report.is_whole:
        display.say(prepared.report.describe())
    vocabulary = prepared.subwords
    sizes = f"{vocabulary.source.size:,}" + ("" if vocabulary.joint else f" and {vocabulary.target.size:,}")
    display.say(
        f"{len(prepared.train):,} training pairs, {len(prepared.valid_target):,} validation pairs, {sizes} pieces"
    )


def say_choices(session: Session, network: Network, parameters: int) -> None:
    """Say what is trained, and on what."""
    model, training = network
    encoder, decoder = model.encoder, model.decoder
    cells = encoder.cell if encoder.cell == decoder.cell else f"{encoder.cell} and {decoder.cell}"
    limit = f", at most {training.time_limit}" if training.time_limit else ""
    session.display.say(
        f"{parameters:,} parameters: {encoder.layers}+{decoder.layers} layers of {cells}, attention {model.attention.name}"
    )
    session.display.say(f"{session.devices}, {session.precision}; {planned_length(training)}{limit}")


def say_how_to_resume(display: ProgressDisplay, checkpoint: Path, step: int) -> None:
    """Say what an interrupted training has saved, and the command that resumes it."""
    saved = f"The training up to step {step:,} is saved" if checkpoint.exists() else "Nothing was saved yet"
    display.say(f"\nInterrupted. {saved}. To continue:\n  {resume_command(sys.argv)}")


def advice_after_divergence(settings: TrainingSettings, checkpoint: Path, problem: DivergenceError) -> str:
    """Return how to train on, with a peak of the learning rate below the rate at which it went wrong."""
    if problem.step == 0:
        return (
            "No weight had been changed yet, so the learning rate is not the reason: check a cell or attention of your own "
            "with 'nmt-lstm plugins check', and the options of the network."
        )
    rates = (
        OptimizerSettings().learning_rate,
        settings.optimizer.learning_rate / 4.0,
        problem.learning_rate / 2.0,
    )
    rate = min(rates)
    options = f"--set training.optimizer.learning_rate={rate:.2g}"
    if not settings.clip_norm:
        options += " --set training.clip_norm=1"
    if not checkpoint.exists():
        return f"Nothing was saved before; start again with a lower learning rate:\n  {options}"
    return f"A checkpoint from before is saved; continue with a lower learning rate:\n  {resume_command(sys.argv)} {options}"
