"""The callback that runs a training: when it validates, saves, shows progress and stops."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from nmt_lstm.batching.batch import Batch
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.numerics.precision import Precision, autocast
from nmt_lstm.training.agreement import agreed, is_distributed
from nmt_lstm.training.clock import Clock
from nmt_lstm.training.diagnosis import Point
from nmt_lstm.training.divergence import DivergenceError
from nmt_lstm.training.interruption import SignalWatch, TrainingInterrupted
from nmt_lstm.training.kept_weights import KeptWeights
from nmt_lstm.training.last_checkpoint import LastCheckpoint
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.run_report import RunReport
from nmt_lstm.training.speedometer import Speedometer
from nmt_lstm.training.validation import ValidationResult

__all__ = ["RunControl"]

# Processes agree on signals and time once in so many steps; asking in each step would make GPUs wait.
_STEPS_BETWEEN_AGREEMENTS = 8

WriteModel = Callable[[Mapping[str, Tensor], ValidationResult, int, list[int]], None]


class RunControl(pl.Callback):
    """Validates between steps and saves checkpoints only there.

    Validation is not left to Lightning's loop: a checkpoint saved around a validation of that loop cannot be
    resumed at exactly the same place, and here a validation that a signal cut short is made up for on resume.

    Args:
        settings: when to validate, save and stop.
        clock: time spent and its limit.
        signals: what tells of ctrl-C and SIGTERM.
        kept: the weights of the best validations.
        checkpoint: the whole state of the training on disk.
        record: what identifies the run, kept in the checkpoint.
        batches: returns this process's validation batches.
        precision: precision of the training, used in validation too.
        write_model: writes the model folder, given a state dict, its validation, the beam of that, and the steps
            after which the weights were taken.
        report: tells of steps and validations.
    """

    def __init__(
        self,
        *,
        settings: TrainingSettings,
        clock: Clock,
        signals: SignalWatch,
        kept: KeptWeights,
        checkpoint: LastCheckpoint,
        record: Mapping[str, Any],
        batches: Callable[[], Sequence[Batch]],
        precision: Precision,
        write_model: WriteModel,
        report: RunReport,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.signals = signals
        self.kept = kept
        self.checkpoint = checkpoint
        self.record = record
        self.batches = batches
        self.precision = precision
        self.write_model = write_model
        self.report = report
        self.display = report.display
        self.waited = 0
        """Validations without improvement."""
        self.validated_step = -1
        """Step of the last validation."""
        self.validation_due = False
        """Whether a signal cut a validation short that has to be made up for."""
        self.reason = "all epochs are done"
        """Why the training stopped."""
        self.out_of_time = False
        """Whether that is the time limit."""
        self.ended_by = "training.epochs"
        """The setting that would have to be larger for a longer training."""
        self.curve: list[Point] = []
        """The validations so far."""
        self._signal = 0
        self._time_is_over = False
        self._too_late = False
        self._may_validate = True
        self._speedometer = Speedometer()

    # Lightning's hooks

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the signals back from Lightning, and make up for a validation that was cut short."""
        module = _ours(pl_module)
        self.signals.install()
        self.clock.start_training()
        self._agree(trainer, module)
        self.display.start(module.steps_done())
        if self.validation_due and not self.skips_validation():
            self.validate(trainer, module)
            if self._signal:
                raise TrainingInterrupted(self._signal)
        if trainer.global_step:  # a resumed training may be at its end already
            self._stop(trainer, self._limit(trainer, end_of_epoch=False) or self._out_of_patience())
        self._speedometer.restart()

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
        self.clock.count_step()
        if (
            trainer.world_size == 1
            or trainer.global_step % _STEPS_BETWEEN_AGREEMENTS == 0
            or trainer.is_last_batch
        ):
            self._agree(trainer, module)
        if self.display.is_due():
            bleu = [record.metrics["bleu"] for record in self.kept.records]
            trained = self._speedometer.read(module.tally)
            self.report.step(trainer, module, trained, max(bleu, default=None))
        # After the last step Lightning still has to close the epoch; a checkpoint from before would not resume well.
        if not trainer.is_last_batch:
            self._after_step(trainer, module, end_of_epoch=False)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Do what is due after the last step of an epoch."""
        if trainer.is_last_batch:
            self._after_step(trainer, _ours(pl_module), end_of_epoch=True)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the live line away."""
        self.display.stop()

    def on_exception(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        exception: BaseException,
    ) -> None:
        """Leave the terminal as it was."""
        self.display.stop()

    def on_save_checkpoint(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        checkpoint: dict[str, Any],
    ) -> None:
        """Say in the checkpoint whose it is."""
        checkpoint["nmt_lstm_run"] = dict(self.record)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint has to keep."""
        return {
            "waited": self.waited,
            "validated_step": self.validated_step,
            "validation_due": self.validation_due,
            "kept": self.kept.state_dict(),
            "clock": self.clock.state_dict(),
            "time_limit_reached": self.clock.limit if self.out_of_time else None,
            # Not the training loss: it depends on when the run was looked at, and a resumed run is the same run.
            "curve": [[point.step, point.loss] for point in self.curve],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what a checkpoint kept."""
        self.waited = int(state_dict["waited"])
        self.validated_step = int(state_dict["validated_step"])
        self.validation_due = bool(state_dict["validation_due"])
        self.kept.load_state_dict(state_dict["kept"])
        self.clock.load_state_dict(state_dict["clock"])
        # Checkpoints of earlier versions have none.
        self.curve = [Point(int(step), math.nan, loss) for step, loss in state_dict.get("curve", [])]

    # What is due

    def _after_step(self, trainer: pl.Trainer, module: TranslationModule, *, end_of_epoch: bool) -> None:
        step, settings = trainer.global_step, self.settings
        due = step % settings.validate_every == 0 if settings.validate_every else end_of_epoch
        reason = self._limit(trainer, end_of_epoch=end_of_epoch)
        validates = ((due and self._may_validate) or bool(reason)) and not self.skips_validation()
        self.validation_due = validates and step != self.validated_step
        if self.validation_due and not self._signal:
            if self.out_of_time and not self.kept.records:
                self.report.first_validation_after_the_limit()
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
        elapsed = self.clock.elapsed()
        mine = [
            float(self.signals.received),
            float(self.clock.is_over(elapsed)),
            self.clock.progress(elapsed),
            float(not self.clock.affords_validation(elapsed)),
            float(not self.clock.affords_last_validation(elapsed)),
        ]
        signal_number, is_over, module.time_progress, is_dear, is_late = agreed(mine, module.device)
        self._signal, self._time_is_over = int(signal_number), bool(is_over)
        self._too_late = bool(is_late)
        # A run that ends by its steps is the same one each time, so the clock decides nothing there.
        self._may_validate = not is_dear or module.time_progress <= module.steps_done()

    def has_time_to_validate(self, device: torch.device) -> bool:
        """Whether the time limit allows another validation after the training; the same answer in all processes."""
        return not agreed([float(not self.clock.has_time_to_validate())], device)[0]

    def skips_validation(self) -> bool:
        """Whether the last weights are not validated: the time is over, and a model is there."""
        return self._too_late and bool(self.kept.records)

    def _save(self, trainer: pl.Trainer, module: TranslationModule) -> None:
        self.checkpoint.save(trainer, module, proven=self.validated_step == trainer.global_step)
        if trainer.is_global_zero:
            self.kept.forget()

    def validate(self, trainer: pl.Trainer, module: TranslationModule) -> None:
        """Validate now, keep the weights if they are good, and write the model folder if they are the best.

        All processes must take part.

        Raises:
            DivergenceError: the loss is not finite; nothing is kept of these weights.
        """
        module.check_gradients()
        begin = time.monotonic()
        self._speedometer.read(module.tally)
        self.display.busy("validating")
        with module.average.applied() if module.average is not None else nullcontext():
            result = self.translate(module)
            if result is None:
                self._signal = self.signals.received
                return
            step = trainer.global_step
            if not math.isfinite(result.loss):
                raise DivergenceError(step, module.learning_rate, what="the loss on the validation text")
            improved = module.observe(result)
            self.validated_step, self.validation_due = step, False
            self.waited = 0 if improved else self.waited + 1
            state = module.model.state_dict()
            if self.kept.would_keep(result.metrics):
                self.kept.add(step, result.metrics, state, write=trainer.is_global_zero)
            if improved and trainer.is_global_zero:
                self.write_model(state, result, self.settings.valid_beam_size, [step])
        self.clock.count_validation(time.monotonic() - begin)
        trained = self._speedometer.since_validation()
        self.curve.append(Point(step, trained.mean_loss, result.loss))
        self.report.validation(trainer, result, trained, improved=improved)
        self._speedometer.restart()

    def translate(self, module: TranslationModule, beam_size: int | None = None) -> ValidationResult | None:
        """Translate the validation text with the module's weights as they are; None if a signal came in between.

        With several processes a signal waits for the end: they have to meet there.
        """
        alone = not is_distributed()
        validation = module.new_validation(beam_size)
        training = module.training
        module.eval()
        try:
            with autocast(module.device, self.precision):
                for batch in self.batches():
                    if alone and self.signals.received:
                        return None
                    validation.add(batch.to(module.device))
        finally:
            module.train(training)
        return validation.result()


def _ours(module: pl.LightningModule) -> TranslationModule:
    assert isinstance(module, TranslationModule)
    return module
