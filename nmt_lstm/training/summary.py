"""What `fit` says before and after: choices, the table of results and the command to type next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from nmt_lstm.checkpoint.model_folder import trust_option
from nmt_lstm.evaluation.columns import perplexity
from nmt_lstm.plain_text import printable
from nmt_lstm.training.progress import duration, search_name

__all__ = ["FitResult", "show_summary"]


@dataclass(frozen=True)
class FitResult:
    """What a training came to."""

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
    seconds: float
    """Wall-clock time of all sessions, from the start of `fit` to its end."""
    reason: str
    """Why the training stopped."""
    parameters: int
    """Trained values."""
    diagnosis: list[str]
    """Why the model is not usable and what to do about it; empty for one that translates."""


def show_summary(console: Console, found: FitResult) -> None:
    """Show the table of results and the next command."""
    table = Table(
        title="Training is done", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0)
    )
    averaged, metrics = found.averaged_steps, found.metrics
    weights = (
        f"average of steps {', '.join(f'{step:,}' for step in sorted(averaged))}"
        if len(averaged) > 1
        else f"step {averaged[0]:,}"
    )
    for name, value in (
        ("stopped because", found.reason),
        ("optimizer steps", f"{found.steps:,} in {found.epochs} of {found.planned_epochs} epochs"),
        ("time", duration(found.seconds)),
        ("parameters", f"{found.parameters:,}"),
        ("weights", weights),
        (
            "validation loss",
            f"{metrics['loss']:.3f} nats per target piece (perplexity {perplexity(metrics['loss'], 2)})",
        ),
        (
            "validation BLEU",
            f"{metrics['bleu']:.2f}  {search_name(found.beam_size)}  {found.signatures['bleu']}",
        ),
        (
            "validation chrF",
            f"{metrics['chrf']:.2f}  {search_name(found.beam_size)}  {found.signatures['chrf']}",
        ),
        ("model folder", printable(str(found.folder))),
    ):
        table.add_row(name, value)
    console.print()
    if console.is_terminal:
        console.print(table, highlight=False, markup=False)
    else:
        for name, value in zip(*(column.cells for column in table.columns), strict=True):
            console.print(f"{name:<18}{value}", highlight=False, markup=False, soft_wrap=True)
    if found.diagnosis:
        console.print("\n" + "\n".join(found.diagnosis), highlight=False, markup=False, soft_wrap=True)
    if found.out_of_time:
        console.print(
            "\nTraining stopped at the time limit. To continue, rerun with --resume and a larger --time-limit.",
            highlight=False,
            soft_wrap=True,
        )
    folder = printable(shlex.quote(str(found.folder))) + trust_option(found.folder)
    console.print("\nTranslate with it:", highlight=False)
    console.print(
        f"  nmt-lstm translate -m {folder} < in.txt > out.txt", highlight=False, markup=False, soft_wrap=True
    )
    console.print(
        f"  nmt-lstm translate -m {folder} --interactive", highlight=False, markup=False, soft_wrap=True
    )
