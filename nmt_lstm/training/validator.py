"""The validations of a run: translate, save the weights and the model if they are good enough, and report."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import pytorch_lightning as pl
import torch

from nmt_lstm.batching.batch import Batch
from nmt_lstm.errors import DivergenceError
from nmt_lstm.numerics.precision import Precision, autocast
from nmt_lstm.training.best_checkpoints import BestCheckpoints
from nmt_lstm.training.devices import is_distributed
from nmt_lstm.training.diagnosis import ValidationPoint
from nmt_lstm.training.interruption import SignalWatch
from nmt_lstm.training.model_writer import ModelWriter
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.reporting import RunReport
from nmt_lstm.training.validation import ValidationResult

__all__ = ["Validator"]


class Validator:
    """Validates outside of Lightning's loop. All processes must take part in each validation.

    Args:
        batches: returns this process's validation batches.
        precision: of training, used in validation too.
        signals: receives ctrl-C and SIGTERM.
        checkpoints: the weights of the best validations.
        writer: writes the model folder.
        report: reports validations, and counts their time.
    """

    def __init__(
        self,
        *,
        batches: Callable[[], Sequence[Batch]],
        precision: Precision,
        signals: SignalWatch,
        checkpoints: BestCheckpoints,
        writer: ModelWriter,
        report: RunReport,
    ) -> None:
        self.batches = batches
        self.precision = precision
        self.signals = signals
        self.checkpoints = checkpoints
        self.writer = writer
        self.report = report
        self.step = -1
        """Optimizer step of the last validation."""
        self.curve: list[ValidationPoint] = []
        """The validations so far."""

    def validate(self, trainer: pl.Trainer, module: TranslationModule) -> bool | None:
        """Validate now, save the weights if they qualify, and write the model folder if they are the best.

        Returns:
            Whether they are the best so far; None if a signal interrupted the validation.

        Raises:
            DivergenceError: the loss is not finite, or too large; these weights are not saved.
        """
        module.check_gradients()
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            callback.on_validation_start(trainer, module)
        start = time.monotonic()
        statistics = module.meters.validation.read()  # a validation that is interrupted is repeated
        self.report.display.busy("validating")
        with module.averaged():
            result = self.translate(module)
            if result is None:
                return None
            step = trainer.global_step
            _check_loss(result.loss, step, module)
            improved = module.record_validation(result)
            state, on_disk = module.model.state_dict(), trainer.is_global_zero
            if self.checkpoints.qualifies(result.metrics):
                self.checkpoints.save(step, result.metrics, state, on_disk=on_disk)
            if improved:
                self.writer.write(state, result, module.search.beam_size, [step], on_disk=on_disk)
        self.step = step
        self.report.budget.count_validation(time.monotonic() - start)
        self.curve.append(self.report.validation(trainer, result, statistics, improved=improved))
        # As after a validation of Lightning's own loop, for callbacks such as EarlyStopping.
        trainer.callback_metrics.update({name: torch.tensor(value) for name, value in result.logged.items()})
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            callback.on_validation_end(trainer, module)
        module.meters.restart()
        return improved

    def translate(self, module: TranslationModule, beam_size: int | None = None) -> ValidationResult | None:
        """Translate the validation text with the module's current weights; None if a signal interrupted it.

        Several processes finish the validation even after a signal: they have to meet at its end.
        """
        interruptible = not is_distributed()
        validation = module.new_validation(beam_size)
        training = module.training
        module.eval()
        try:
            with autocast(module.device, self.precision):
                for batch in self.batches():
                    if interruptible and self.signals.received:
                        return None
                    validation.add(batch.to(module.device))
        finally:
            module.train(training)
        return validation.result()


def _check_loss(loss: float, step: int, module: TranslationModule) -> None:
    """Raise an error unless the loss is finite, and in a run that can return to a checkpoint, not far above that of guessing.

    Raises:
        DivergenceError: it is not.
    """
    what = "the loss on the validation text"
    if not math.isfinite(loss):
        raise DivergenceError(step, module.learning_rate, what=what)
    if module.guard.action == "return" and loss > module.guard.largest_loss:
        raise DivergenceError(
            step,
            module.learning_rate,
            what=f"{what}, {loss:.3g} nats per piece,",
            how="is far above that of guessing",
        )
