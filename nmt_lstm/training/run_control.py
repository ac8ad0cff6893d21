"""The callback that runs a training: when it validates, saves, shows progress and stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.training.budget import TimeBudget
from nmt_lstm.training.devices import all_reduce_max
from nmt_lstm.training.diagnosis import Point
from nmt_lstm.training.interruption import SignalWatch, TrainingInterrupted
from nmt_lstm.training.last_checkpoint import LastCheckpoint
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.validator import Validator

__all__ = ["RunControl"]

# Processes agree on signals and time once in so many steps; asking in each step would make GPUs wait.
_STEPS_BETWEEN_AGREEMENTS = 8


class RunControl(pl.Callback):
    """Validates between steps and saves checkpoints only there.

    Validation is not left to Lightning's loop: a checkpoint saved around a validation of that loop cannot be
    resumed at exactly the same step, and here a validation that a signal interrupted is made up for on resume.

    Args:
        settings: when to validate, save and stop.
        budget: time spent and its limit.
        signals: what tells of ctrl-C and SIGTERM.
        validator: makes the validations.
        checkpoint: the whole state of the training on disk.
        record: what identifies the run, kept in the checkpoint.
    """

    def __init__(
        self,
        *,
        settings: TrainingSettings,
        budget: TimeBudget,
        signals: SignalWatch,
        validator: Validator,
        checkpoint: LastCheckpoint,
        record: Mapping[str, Any],
    ) -> None:
        self.settings = settings
        self.budget = budget
        self.signals = signals
        self.validator = validator
        self.checkpoint = checkpoint
        self.record = record
        self.waited = 0
        """Validations without improvement."""
        self.validation_due = False
        """Whether a signal interrupted a validation, which has to be made up for."""
        self.reason = "all epochs are done"
        """Why the training stopped."""
        self.out_of_time = False
        """Whether that is the time limit."""
        self.ended_by = "training.epochs"
        """The setting that would have to be larger for a longer training."""
        self._signal = 0
        self._time_is_over = False
        self._too_late = False
        self._may_validate = True

    # Lightning's hooks

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the signals back from Lightning, and make up for a validation that was interrupted."""
        module = _ours(pl_module)
        self.signals.install()
        self.budget.start_training()
        self._agree(trainer, module)
        self.validator.report.display.start(module.steps_done())
        if self.validation_due and not self.skips_validation():
            self.validate(trainer, module)
            if self._signal:
                raise TrainingInterrupted(self._signal)
        if trainer.global_step:  # a resumed training may be at its end already
            self._stop(trainer, self._limit(trainer, end_of_epoch=False) or self._out_of_patience())
        module.restart_meters()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Do what is due after an optimizer step within an epoch."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        module = _ours(pl_module)
        self.budget.count_step()
        if (
            trainer.world_size == 1
            or trainer.global_step % _STEPS_BETWEEN_AGREEMENTS == 0
            or trainer.is_last_batch
        ):
            self._agree(trainer, module)
        bleu = (record.metrics["bleu"] for record in self.validator.weights.records)
        self.validator.report.step(trainer, module, max(bleu, default=None))
        # After the last step Lightning still has to close the epoch; a checkpoint from before would not resume well.
        if not trainer.is_last_batch:
            self._after_step(trainer, module, end_of_epoch=False)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Do what is due after the last step of an epoch."""
        if trainer.is_last_batch:
            self._after_step(trainer, _ours(pl_module), end_of_epoch=True)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the live line away."""
        self.validator.report.display.stop()

    def on_exception(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        exception: BaseException,
    ) -> None:
        """Leave the terminal as it was."""
        self.validator.report.display.stop()

    def on_save_checkpoint(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        checkpoint: dict[str, Any],
    ) -> None:
        """Say in the checkpoint whose it is."""
        checkpoint["nmt_lstm_run"] = dict(self.record)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "waited": self.waited,
            "validated_step": self.validator.step,
            "validation_due": self.validation_due,
            "kept": self.validator.weights.state_dict(),
            "clock": self.budget.state_dict(),
            "time_limit_reached": self.budget.limit if self.out_of_time else None,
            "curve": [point.state_dict() for point in self.validator.curve],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from the state in a checkpoint."""
        self.waited = int(state_dict["waited"])
        self.validator.step = int(state_dict["validated_step"])
        self.validation_due = bool(state_dict["validation_due"])
        self.validator.weights.load_state_dict(state_dict["kept"])
        self.budget.load_state_dict(state_dict["clock"])
        # Checkpoints of earlier versions have none.
        self.validator.curve = [Point.of_state(state) for state in state_dict.get("curve", [])]

    # What is due

    def _after_step(self, trainer: pl.Trainer, module: TranslationModule, *, end_of_epoch: bool) -> None:
        step, settings = trainer.global_step, self.settings
        due = step % settings.validate_every == 0 if settings.validate_every else end_of_epoch
        reason = self._limit(trainer, end_of_epoch=end_of_epoch)
        validates = ((due and self._may_validate) or bool(reason)) and not self.skips_validation()
        self.validation_due = validates and step != self.validator.step
        if self.validation_due and not self._signal:
            if self.out_of_time and not self.validator.weights.records:
                self.validator.report.first_validation_after_the_limit(settings.time_limit)
            self.validate(trainer, module)
        if self._signal:
            self._save(trainer, module)
            raise TrainingInterrupted(self._signal)
        reason = reason or self._out_of_patience()
        if due or reason or (settings.checkpoint_every and step % settings.checkpoint_every == 0):
            self._save(trainer, module)
        self._stop(trainer, reason)

    def _stop(self, trainer: pl.Trainer, reason: str) -> None:
        if reason:
            self.reason = reason
            trainer.should_stop = True

    def _out_of_patience(self) -> str:
        if self.settings.patience and self.waited >= self.settings.patience:
            self.ended_by = "training.patience"
            return f"the last {self.waited} validations brought no better {self.settings.metric}"
        return ""

    def _limit(self, trainer: pl.Trainer, *, end_of_epoch: bool) -> str:
        """Return which limit the training has come to, or an empty text."""
        if self.settings.max_steps and trainer.global_step >= self.settings.max_steps:
            self.ended_by = "training.max_steps"
            return f"all {self.settings.max_steps:,} steps are done"
        if end_of_epoch and trainer.current_epoch + 1 >= self.settings.epochs:
            return f"all {self.settings.epochs} epochs are done"
        if self._time_is_over:
            self.out_of_time, self.ended_by = True, "training.time_limit"
            return f"the time limit of {self.settings.time_limit} is reached"
        return ""

    def _agree(self, trainer: pl.Trainer, module: TranslationModule) -> None:
        """Let all processes see the same clock and the same signal: decisions made of them must not differ."""
        elapsed = self.budget.elapsed()
        mine = [
            float(self.signals.received),
            float(self.budget.is_over(elapsed)),
            self.budget.progress(elapsed),
            float(not self.budget.affords_validation(elapsed)),
            float(not self.budget.affords_last_validation(elapsed)),
        ]
        signal_number, is_over, module.time_progress, is_dear, is_late = all_reduce_max(mine, module.device)
        self._signal, self._time_is_over = int(signal_number), bool(is_over)
        self._too_late = bool(is_late)
        # A run that ends by its steps is the same one each time, so the clock decides nothing there.
        self._may_validate = not is_dear or module.time_progress <= module.steps_done()

    def has_time_to_validate(self, device: torch.device) -> bool:
        """Whether the time limit allows another validation after the training; the same answer in all processes."""
        return not all_reduce_max([float(not self.budget.has_time_to_validate())], device)[0]

    def skips_validation(self) -> bool:
        """Whether the last weights are not validated: the time is over, and a model is there."""
        return self._too_late and bool(self.validator.weights.records)

    def _save(self, trainer: pl.Trainer, module: TranslationModule) -> None:
        self.checkpoint.save(trainer, module, proven=self.validator.step == trainer.global_step)
        if trainer.is_global_zero:
            self.validator.weights.forget()

    def validate(self, trainer: pl.Trainer, module: TranslationModule) -> None:
        """Validate now; all processes must take part.

        Raises:
            DivergenceError: the loss is not finite; nothing is kept of these weights.
        """
        improved = self.validator.validate(trainer, module)
        if improved is None:
            self._signal = self.signals.received
        else:
            self.validation_due = False
            self.waited = 0 if improved else self.waited + 1


def _ours(module: pl.LightningModule) -> TranslationModule:
    assert isinstance(module, TranslationModule)
    return module
