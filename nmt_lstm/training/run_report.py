"""What a run tells of its steps and validations: at the display, and in the logs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytorch_lightning as pl

from nmt_lstm.evaluation.columns import perplexity
from nmt_lstm.training.budget import TimeBudget
from nmt_lstm.training.diagnosis import Point
from nmt_lstm.training.meter import Stretch
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.progress import Moment, ProgressDisplay, duration, search_name
from nmt_lstm.training.validation import ValidationResult

__all__ = ["RunReport"]


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

    def step(self, trainer: pl.Trainer, module: TranslationModule, best_bleu: float | None) -> None:
        """Show how far the training is, if it is time for that.

        Args:
            trainer: its steps and epochs.
            module: its rates, and what it has trained on since the step shown before.
            best_bleu: of the validations so far; None before the first.
        """
        if not self.display.is_due():
            return
        trained = module.display_meter.take()
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

    def first_validation_after_the_limit(self, time_limit: str) -> None:
        """Say what a run is doing whose time is over before it has a model."""
        self.display.say(
            f"The time limit of {time_limit} is reached, but there is no model yet: one validation and writing "
            f"the model follow in any case."
        )

    def validation(
        self, trainer: pl.Trainer, result: ValidationResult, trained: Stretch, *, improved: bool
    ) -> Point:
        """Log a validation and show it, at a terminal with samples; return its point on the learning curve.

        Args:
            trainer: its steps, epochs and loggers.
            result: of the validation.
            trained: since the validation before.
            improved: whether the metric is the best so far.
        """
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
        return point

    def _samples(self, step: int, result: ValidationResult) -> None:
        count = len(result.indices)
        for number in sorted({step % count, (step * 31 + count // 2) % count}):
            line = result.indices[number]
            self.display.say(f"    source       {self.sources[line]}", style="dim")
            self.display.say(f"    translation  {result.translations[number] or '(empty)'}")
            self.display.say(f"    reference    {self.references[line]}", style="dim")
