"""What a run tells of its steps and validations: at the display, and in the logs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytorch_lightning as pl

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.evaluation.columns import perplexity
from nmt_lstm.training.clock import Clock
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.progress import Moment, ProgressDisplay, duration, search_name
from nmt_lstm.training.speedometer import Stretch
from nmt_lstm.training.validation import ValidationResult

__all__ = ["RunReport"]


class RunReport:
    """Puts the numbers of a run into words and rows.

    Args:
        display: shows the progress.
        clock: time spent and its limit.
        settings: of the training.
        sources: source side of the validation text, for samples.
        references: its target side.
    """

    def __init__(
        self,
        *,
        display: ProgressDisplay,
        clock: Clock,
        settings: TrainingSettings,
        sources: Sequence[str],
        references: Sequence[str],
    ) -> None:
        self.display = display
        self.clock = clock
        self.settings = settings
        self.sources = sources
        self.references = references

    def step(
        self, trainer: pl.Trainer, module: TranslationModule, trained: Stretch, best_bleu: float | None
    ) -> None:
        """Show how far the training is.

        Args:
            trainer: its steps and epochs.
            module: its rates.
            trained: since the step shown before.
            best_bleu: of the validations so far; None before the first.
        """
        self.display.show(
            Moment(
                epoch=trainer.current_epoch + 1,
                epochs=self.settings.epochs,
                step=trainer.global_step,
                share=module.steps_done(),
                limit_left=self.clock.left(),
                pieces_per_second=trained.speed(trainer.world_size),
                loss=trained.mean_loss,
                gradient_norm=float(module.gradient_norm) if module.gradient_norm is not None else math.nan,
                learning_rate=module.learning_rate,
                bleu=best_bleu,
            )
        )

    def first_validation_after_the_limit(self) -> None:
        """Say what a run is doing whose time is over before it has a model."""
        self.display.say(
            f"The time limit of {self.settings.time_limit} is reached, but there is no model yet: one validation and writing "
            f"the model follow in any case."
        )

    def validation(
        self, trainer: pl.Trainer, result: ValidationResult, trained: Stretch, *, improved: bool
    ) -> None:
        """Log a validation and show it, at a terminal with samples.

        Args:
            trainer: its steps, epochs and loggers.
            result: what the validation has found.
            trained: since the validation before.
            improved: whether the metric is the best so far.
        """
        step = trainer.global_step
        logged = {f"valid_{name}": value for name, value in result.metrics.items()} | {
            "valid_perplexity": result.perplexity,
            "epoch": float(trainer.current_epoch),
            "elapsed_seconds": self.clock.elapsed(),
        }
        if trained.pieces:
            logged["target_pieces_per_second"] = trained.speed(trainer.world_size)
        for logger in trainer.loggers:
            logger.log_metrics(logged, step=step)
            logger.save()
        self.display.say(
            f"validation at step {step:,} (epoch {trainer.current_epoch + 1}, {duration(self.clock.elapsed())}, "
            f"{search_name(self.settings.valid_beam_size)}):  "
            f"loss {result.loss:.3f}  perplexity {perplexity(result.loss)}  BLEU {result.bleu:.2f}  "
            f"chrF {result.chrf:.2f}{'  best so far' if improved else ''}"
        )
        if self.display.console.is_terminal and result.indices:
            self._samples(step, result)

    def _samples(self, step: int, result: ValidationResult) -> None:
        count = len(result.indices)
        for place in sorted({step % count, (step * 31 + count // 2) % count}):
            line = result.indices[place]
            self.display.say(f"    source       {self.sources[line]}", style="dim")
            self.display.say(f"    translation  {result.translations[place] or '(empty)'}")
            self.display.say(f"    reference    {self.references[line]}", style="dim")
