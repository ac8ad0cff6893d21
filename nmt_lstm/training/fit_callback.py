"""The callback that drives a run: when it validates, saves, shows progress and stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytorch_lightning as pl
import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.training.callbacks import check_states
from nmt_lstm.training.checkpointing import TrainingCheckpoint
from nmt_lstm.training.csv_log import log_digests
from nmt_lstm.training.devices import all_reduce_max, gather_objects
from nmt_lstm.training.diagnosis import ValidationPoint
from nmt_lstm.training.interruption import SignalWatch, TrainingInterrupted
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.stopping import BY_CALLBACK, TIME_LIMIT, Stop, limit_reached, out_of_patience
from nmt_lstm.training.time_budget import TimeBudget
from nmt_lstm.training.validator import Validator

__all__ = ["CALLBACK_KEY", "RUN_KEY", "FitCallback"]

# Keys in checkpoints. The first is the name that the class had when the format was fixed.
CALLBACK_KEY = "RunControl"
RUN_KEY = "nmt_lstm_run"

# Processes share signals and time once in so many steps; in every step, GPUs would wait for it.
_STEPS_BETWEEN_SYNCHRONIZATIONS = 8


class FitCallback(pl.Callback):
    """Validates between steps, and saves checkpoints only there.

    Validation is not left to Lightning's loop: a checkpoint saved around a validation of that loop cannot be resumed
    at exactly the same step. Here, a validation that a signal interrupted is repeated after a resume.

    Args:
        settings: when to validate, save and stop.
        budget: the time spent, and its limit.
        signals: receives ctrl-C and SIGTERM.
        validator: performs the validations.
        checkpoint: the complete state of the run on disk.
        identity: what identifies the run, stored in the checkpoint.
        stream_has_ended: whether the stream that is trained on has ended, and with it the run; None for text with epochs.
    """

    def __init__(
        self,
        *,
        settings: TrainingSettings,
        budget: TimeBudget,
        signals: SignalWatch,
        validator: Validator,
        checkpoint: TrainingCheckpoint,
        identity: Mapping[str, Any],
        stream_has_ended: Callable[[], bool] | None = None,
    ) -> None:
        self.settings = settings
        self.budget = budget
        self.signals = signals
        self.validator = validator
        self.checkpoint = checkpoint
        self.identity = identity
        self.stream_has_ended = stream_has_ended
        self.stale_validations = 0
        """Consecutive validations without improvement."""
        self.split_batches = 0
        """Batches of all processes that did not fit into memory and were split, up to the last checkpoint."""
        self.validation_due = False
        """Whether this step's weights are still to be validated; true in a checkpoint if a signal interrupted that."""
        self.stop_reason = "all epochs are done"
        """Why the run stopped."""
        self.out_of_time = False
        """Whether the time limit stopped it."""
        self.limiting_setting = "training.epochs"
        """The setting that would have to be larger for a longer run."""
        self._signal = 0
        self._time_is_over = False
        self._too_late_to_validate = False
        self._can_afford_validation = True

    @property
    def state_key(self) -> str:
        """Key of this callback's state in a checkpoint."""
        return CALLBACK_KEY

    # Lightning's hooks

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the signals back from Lightning, and repeat a validation that was interrupted."""
        module = _translation_module(pl_module)
        self.signals.install()
        self.budget.start_training()
        self._synchronize(trainer, module)
        self.validator.report.display.start(module.steps_done())
        if self.validation_due and not self.skips_validation():
            self.validate(trainer, module)
            if self._signal:
                raise TrainingInterrupted(self._signal)
        if trainer.global_step:  # a resumed run may already be at its end
            self._stop(
                trainer,
                self._limit_reached(trainer, end_of_epoch=False)
                or out_of_patience(self.settings, self.stale_validations),
            )
        elif self.settings.on_divergence == "return" and self.checkpoint.is_empty:
            self._save(trainer, module)  # what a run returns to that diverges before its first checkpoint
        module.meters.restart_clocks()

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
        module = _translation_module(pl_module)
        self.budget.count_step()
        self.validator.report.splits(module.parts.splits, batch.rows)
        if (
            trainer.world_size == 1
            or trainer.global_step % _STEPS_BETWEEN_SYNCHRONIZATIONS == 0
            or trainer.is_last_batch
        ):
            self._synchronize(trainer, module)
        bleu = (
            checkpoint.metrics["bleu"]
            for checkpoint in self.validator.checkpoints.checkpoints
            if "bleu" in checkpoint.metrics
        )
        self.validator.report.step(trainer, module, max(bleu, default=None))
        module.log_step(batch_idx)  # before a checkpoint that would leave the row out
        # After the last step Lightning still has to close the epoch; a checkpoint from before that would repeat it.
        if not trainer.is_last_batch:
            self.after_step(trainer, module, end_of_epoch=False)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Do what is due after the last step of an epoch."""
        # After a resume, Lightning closes an epoch of a stream that has not ended.
        if trainer.is_last_batch if self.stream_has_ended is None else self.stream_has_ended():
            self.after_step(trainer, _translation_module(pl_module), end_of_epoch=True)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remove the progress line."""
        self.validator.report.display.stop()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Remove the progress line, which hides the cursor."""
        self.validator.report.display.stop()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Store the identity of the run in the checkpoint."""
        checkpoint[RUN_KEY] = dict(self.identity)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {
            "waited": self.stale_validations,
            "split_batches": self.split_batches,
            "validated_step": self.validator.step,
            "validation_due": self.validation_due,
            "kept": self.validator.checkpoints.state_dict(),
            "clock": self.budget.state_dict(),
            "time_limit_reached": self.budget.limit if self.out_of_time else None,
            "logs": log_digests(self.validator.writer.folder),
            "curve": [point.state_dict() for point in self.validator.curve],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self.stale_validations = int(state_dict["waited"])
        self.validator.step = int(state_dict["validated_step"])
        self.validation_due = bool(state_dict["validation_due"])
        self.validator.checkpoints.load_state_dict(state_dict["kept"])
        self.budget.load_state_dict(state_dict["clock"])
        # Missing in checkpoints of earlier versions.
        self.split_batches = int(state_dict.get("split_batches", 0))
        self.validator.curve = [ValidationPoint.from_state(state) for state in state_dict.get("curve", [])]

    # What is due

    def after_step(self, trainer: pl.Trainer, module: TranslationModule, *, end_of_epoch: bool) -> None:
        """Validate, save and stop, in this order and as far as each is due, after an optimizer step.

        Validating comes first: the checkpoint then contains its result, and a validated state needs no backup.

        Raises:
            DivergenceError: the loss or a weight is not finite.
            TrainingInterrupted: a signal came; the state is saved.
        """
        step, settings = trainer.global_step, self.settings
        due = step % settings.validate_every == 0 if settings.validate_every else end_of_epoch
        stop = self._limit_reached(trainer, end_of_epoch=end_of_epoch)
        if stop is None and trainer.should_stop:
            stop = BY_CALLBACK
        # Set before the run stops, since the checkpoint contains it.
        self.out_of_time = stop is not None and stop.setting == TIME_LIMIT
        validates = (due and self._can_afford_validation) or stop is not None
        self.validation_due = validates and not self.skips_validation() and step != self.validator.step
        if self.validation_due and not self._signal:
            if self.out_of_time and not self.validator.checkpoints.checkpoints:
                self.validator.report.first_validation_after_limit(settings.time_limit)
            self.validate(trainer, module)
        if self._signal:
            self._save(trainer, module)
            raise TrainingInterrupted(self._signal)
        stop = stop or out_of_patience(self.settings, self.stale_validations)
        if stop is None and trainer.should_stop:  # a callback saw the validation
            stop = BY_CALLBACK
        if due or stop or (settings.checkpoint_every and step % settings.checkpoint_every == 0):
            self._save(trainer, module)
        self._stop(trainer, stop)

    def validate(self, trainer: pl.Trainer, module: TranslationModule) -> None:
        """Validate now; all processes must take part.

        Raises:
            DivergenceError: the loss is not finite; these weights are not saved.
        """
        improved = self.validator.validate(trainer, module)
        if improved is None:
            self._signal = self.signals.received
        else:
            self.validation_due = False
            self.stale_validations = 0 if improved else self.stale_validations + 1

    def skips_validation(self) -> bool:
        """Whether the last weights are not validated, because the time is over and a model exists."""
        return self._too_late_to_validate and bool(self.validator.checkpoints.checkpoints)

    def has_time_to_validate(self, device: torch.device) -> bool:
        """Whether the time limit allows another validation after training; the same answer in all processes."""
        return not all_reduce_max([float(not self.budget.has_time_to_validate())], device)[0]

    def _stop(self, trainer: pl.Trainer, stop: Stop | None) -> None:
        """Stop the run, if there is a reason to."""
        if stop is not None:
            self.stop_reason, self.limiting_setting = stop
            self.out_of_time = stop.setting == TIME_LIMIT
            trainer.should_stop = True

    def _limit_reached(self, trainer: pl.Trainer, *, end_of_epoch: bool) -> Stop | None:
        streamed = self.stream_has_ended is not None
        epochs = trainer.current_epoch + 1 if end_of_epoch and not streamed else 0
        limit = limit_reached(self.settings, trainer.global_step, epochs, time_is_over=self._time_is_over)
        return limit or (Stop("the stream has ended", "stream") if end_of_epoch and streamed else None)

    def _synchronize(self, trainer: pl.Trainer, module: TranslationModule) -> None:
        """Give all processes the same clock and the same signal: decisions based on them must not differ."""
        elapsed = self.budget.elapsed()
        own = [
            float(self.signals.received),
            float(self.budget.is_over(elapsed)),
            self.budget.progress(elapsed),
            float(not self.budget.affords_validation(elapsed)),
            float(not self.budget.affords_last_validation(elapsed)),
        ]
        signal_number, is_over, module.time_progress, too_expensive, too_late = all_reduce_max(
            own, module.device
        )
        self._signal, self._time_is_over = int(signal_number), bool(is_over)
        self._too_late_to_validate = bool(too_late)
        # A run that its steps will end must be the same each time, so the clock decides nothing there.
        self._can_afford_validation = not too_expensive or module.time_progress <= module.steps_done()

    def _save(self, trainer: pl.Trainer, module: TranslationModule) -> None:
        self.split_batches += sum(gather_objects(module.parts.take_splits()))
        check_states([each for each in trainer.callbacks if each is not self])  # type: ignore[attr-defined]
        self.checkpoint.save(trainer, module, validated=self.validator.step == trainer.global_step)
        if trainer.is_global_zero:
            self.validator.checkpoints.delete_unlisted()


def _translation_module(module: pl.LightningModule) -> TranslationModule:
    assert isinstance(module, TranslationModule)
    return module
