"""What a run tells of its steps and validations, at the display and in the logs, and how fast it trained meanwhile."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytorch_lightning as pl

from nmt_lstm.evaluation.columns import perplexity
from nmt_lstm.training.budget import TimeBudget
from nmt_lstm.training.diagnosis import Point
from nmt_lstm.training.module import Tally, TranslationModule
from nmt_lstm.training.progress import Moment, ProgressDisplay, duration, search_name
from nmt_lstm.training.validation import ValidationResult

__all__ = ["RunReport", "Speedometer", "Stretch"]


@dataclass(frozen=True)
class Stretch:
    """A part of a training run."""

    loss: float
    """Negative log-likelihood of its target pieces, in nats."""
    pieces: int
    """Target pieces of this process, END counted and padding not."""
    seconds: float

    @property
    def mean_loss(self) -> float:
        """Nats per target piece; NaN if there were none."""
        return self.loss / self.pieces if self.pieces else math.nan

    def speed(self, processes: int) -> float:
        """Target pieces per second of so many processes."""
        return self.pieces * processes / max(self.seconds, 1e-9)


class Speedometer:
    """Adds stretches up; what passes between `read` and `restart` (a validation) counts as nothing."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._since_validation = Stretch(0.0, 0, 0.0)

    def read(self, tally: Tally) -> Stretch:
        """Return what the tally has counted since it was read before, and empty it."""
        now, taken = time.monotonic(), tally.take()
        stretch = Stretch(float(taken.loss), taken.pieces, now - self._last)
        self._last = now
        before = self._since_validation
        self._since_validation = Stretch(
            before.loss + stretch.loss, before.pieces + stretch.pieces, before.seconds + stretch.seconds
        )
        return stretch

    def since_validation(self) -> Stretch:
        """Return all that was read since this was asked before."""
        stretch, self._since_validation = self._since_validation, Stretch(0.0, 0, 0.0)
        return stretch

    def restart(self) -> None:
        """Let the next stretch begin now."""
        self._last = time.monotonic()


class RunReport:
    """Puts the numbers of a run into words and rows.

    Args:
        display: shows the progress.
        budget: time spent and its limit.
        epochs: of the whole run.
        beam_size: of the validations between steps.
        sources: source side of the validation text, for samples.
        references: its target side.
    """

    def __init__(
        self,
        *,
        display: ProgressDisplay,
        budget: TimeBudget,
        epochs: int,
        beam_size: int,
        sources: Sequence[str],
        references: Sequence[str],
    ) -> None:
        self.display = display
        self.budget = budget
        self.epochs = epochs
        self.beam_size = beam_size
        self.sources = sources
        self.references = references
        self.speedometer = Speedometer()

    def step(self, trainer: pl.Trainer, module: TranslationModule, best_bleu: float | None) -> None:
        """Show how far the training is, if it is time for that.

        Args:
            trainer: its steps and epochs.
            module: its rates, and what it has trained on since the step shown before.
            best_bleu: of the validations so far; None before the first.
        """
        if not self.display.is_due():
            return
        trained = self.speedometer.read(module.tally)
        self.display.show(
            Moment(
                epoch=trainer.current_epoch + 1,
                epochs=self.epochs,
                step=trainer.global_step,
                share=module.steps_done(),
                limit_left=self.budget.left(),
                pieces_per_second=trained.speed(trainer.world_size),
                loss=trained.mean_loss,
                gradient_norm=float(module.gradient_norm) if module.gradient_norm is not None else math.nan,
                learning_rate=module.learning_rate,
                bleu=best_bleu,
            )
        )

    def begin_validation(self, module: TranslationModule) -> None:
        """Say what the time goes into now, which counts as no time of training."""
        self.speedometer.read(module.tally)
        self.display.busy("validating")

    def validation(self, trainer: pl.Trainer, result: ValidationResult, *, improved: bool) -> Point:
        """Log a validation and show it, at a terminal with samples; return its point on the learning curve.

        Args:
            trainer: its steps, epochs and loggers.
            result: of the validation.
            improved: whether the metric is the best so far.
        """
        trained = self.speedometer.since_validation()
        point = Point(
            trainer.global_step,
            trained.mean_loss,
            result.loss,
            bleu=result.bleu,
            chrf=result.chrf,
            seconds=self.budget.elapsed(),
            pieces_per_second=trained.speed(trainer.world_size) if trained.pieces else math.nan,
        )
        row = {**result.logged, "epoch": float(trainer.current_epoch), "elapsed_seconds": point.seconds}
        if trained.pieces:
            row["target_pieces_per_second"] = point.pieces_per_second
        for logger in trainer.loggers:
            logger.log_metrics(row, step=point.step)
            logger.save()
        self.display.say(
            f"validation at step {point.step:,} (epoch {trainer.current_epoch + 1}, {duration(point.seconds)}, "
            f"{search_name(self.beam_size)}):  loss {result.loss:.3f}  perplexity {perplexity(result.loss)}  "
            f"BLEU {result.bleu:.2f}  chrF {result.chrf:.2f}{'  best so far' if improved else ''}"
        )
        if self.display.console.is_terminal and result.indices:
            self._samples(point.step, result)
        self.speedometer.restart()
        return point

    def _samples(self, step: int, result: ValidationResult) -> None:
        count = len(result.indices)
        for number in sorted({step % count, (step * 31 + count // 2) % count}):
            line = result.indices[number]
            self.display.say(f"    source       {self.sources[line]}", style="dim")
            self.display.say(f"    translation  {result.translations[number] or '(empty)'}")
            self.display.say(f"    reference    {self.references[line]}", style="dim")
