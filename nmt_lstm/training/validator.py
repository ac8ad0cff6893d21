"""The validations of a run: translate, keep the weights that are good, write the model that is the best so far, tell."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import pytorch_lightning as pl

from nmt_lstm.batching.batch import Batch
from nmt_lstm.errors import DivergenceError
from nmt_lstm.numerics.precision import Precision, autocast
from nmt_lstm.training.devices import is_distributed
from nmt_lstm.training.diagnosis import Point
from nmt_lstm.training.interruption import SignalWatch
from nmt_lstm.training.kept_weights import KeptWeights
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.run_report import RunReport
from nmt_lstm.training.saving import ModelWriter
from nmt_lstm.training.validation import ValidationResult

__all__ = ["Validator"]


class Validator:
    """Validates outside of Lightning's loop. All processes must take part in each validation.

    Args:
        batches: returns this process's validation batches.
        precision: precision of the training, used in validation too.
        signals: what tells of ctrl-C and SIGTERM.
        weights: the weights of the best validations.
        writer: writes the model folder.
        report: tells of validations, and counts their time.
    """

    def __init__(
        self,
        *,
        batches: Callable[[], Sequence[Batch]],
        precision: Precision,
        signals: SignalWatch,
        weights: KeptWeights,
        writer: ModelWriter,
        report: RunReport,
    ) -> None:
        self.batches = batches
        self.precision = precision
        self.signals = signals
        self.weights = weights
        self.writer = writer
        self.report = report
        self.step = -1
        """Step of the last validation."""
        self.curve: list[Point] = []
        """The validations so far."""

    def validate(self, trainer: pl.Trainer, module: TranslationModule) -> bool | None:
        """Validate now, keep the weights if they are good, and write the model folder if they are the best.

        Returns:
            Whether they are the best so far; None if a signal interrupted the validation.

        Raises:
            DivergenceError: the loss is not finite; nothing is kept of these weights.
        """
        module.check_gradients()
        begin = time.monotonic()
        trained = module.validation_meter.take()
        self.report.display.busy("validating")
        with module.averaged():
            result = self.translate(module)
            if result is None:
                return None
            step = trainer.global_step
            if not math.isfinite(result.loss):
                raise DivergenceError(step, module.learning_rate, what="the loss on the validation text")
            improved = module.observe(result)
            state = module.model.state_dict()
            if self.weights.would_keep(result.metrics):
                self.weights.add(step, result.metrics, state, write=trainer.is_global_zero)
            if improved:
                self.writer.write(
                    state, result, module.search.beam_size, [step], on_disk=trainer.is_global_zero
                )
        self.step = step
        self.report.budget.count_validation(time.monotonic() - begin)
        self.curve.append(self.report.validation(trainer, result, trained, improved=improved))
        module.restart_meters()
        return improved

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
