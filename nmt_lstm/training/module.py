"""The Lightning module of a model of any task: its training step, its validation and its state."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor

from nmt_lstm.batching.batch import Batch
from nmt_lstm.config.schema import RunSettings, SearchSettings, TrainingSettings
from nmt_lstm.config.tasks import TASKS, TaskName, part_of
from nmt_lstm.evaluation.scores import chosen_tokenizer
from nmt_lstm.model.build import build_network
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.batch_parts import BatchParts, parts_of_batches
from nmt_lstm.training.ema import MovingAverage
from nmt_lstm.training.evaluation_weights import evaluation_weights
from nmt_lstm.training.failed_steps import FailedSteps
from nmt_lstm.training.optimization import build_optimizer, clip_gradients
from nmt_lstm.training.schedules import LearningRateSchedule
from nmt_lstm.training.step_guard import StepGuard
from nmt_lstm.training.step_meters import StepMeters
from nmt_lstm.training.validation import RunValidation, ValidationResult, is_better
from nmt_lstm.training.validation_sets import ValidationSet, sets_of_run, validation_of_sets

__all__ = ["MODULE_KEY", "TranslationModule"]

# Key in checkpoints of the state that Lightning does not save itself.
MODULE_KEY = "nmt_lstm_module"

_STEPS_BETWEEN_LOGS = 20


class TranslationModule(pl.LightningModule):
    """Trains a `Seq2Seq`, or the network of another task, in `nmt_lstm.training.fit` or with any Lightning Trainer.

    Clipping, schedule, moving average and randomness follow `settings`: a Trainer needs no arguments for them. Training
    logs "train_loss", "gradient_norm" and "learning_rate", validation "valid_loss", "valid_perplexity", "valid_bleu" and
    "valid_chrf".

    Args:
        model: the model to train.
        settings: how to train it. Limits (epochs, steps, time), devices and checkpoints are up to the Trainer.
        search: how validation translates, except its beam size, which is ``settings.valid_beam_size``.
        subwords: the vocabularies, to decode pieces to text.
        references: target side of the validation text.
        tokenize: sacreBLEU's tokenizer for BLEU.
        seed: of dropout and all other random numbers of training steps.
        total_steps: optimizer steps of the whole run, for the cosine schedule; None asks the Trainer.
        task: what the model is trained for, which decides how it is validated.
        valid_sets: the sets that the validation text consists of; by default it is one, with `tokenize`.
    """

    parts: BatchParts
    """Computes batches, in parts if they do not fit into memory."""

    def __init__(
        self,
        *,
        model: Trainable,
        settings: TrainingSettings,
        search: SearchSettings,
        subwords: Subwords,
        references: Sequence[str],
        tokenize: str = "13a",
        seed: int = 1,
        total_steps: int | None = None,
        task: TaskName = "translation",
        valid_sets: Sequence[ValidationSet] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.task = task
        self.settings = settings
        # One group, in which the best translation of this beam size is found.
        self.search = search.model_copy(
            update={
                "beam_size": settings.valid_beam_size,
                "beam_groups": 1,
                "diversity": SearchSettings().diversity,
            }
        )
        self.subwords = subwords
        self.references = references
        self.tokenize = tokenize
        self.valid_sets = valid_sets
        self.seed = seed
        self.total_steps = total_steps
        self.time_progress = 0.0
        """Fraction of the time limit that is over, the same in all processes; the cosine schedule ends when it is 1."""
        self.schedule = LearningRateSchedule(settings.schedule, settings.optimizer.learning_rate)
        self.average = MovingAverage(model, settings.ema) if settings.ema > 0.0 else None
        self.best_metric: float | None = None
        """Best value of ``settings.metric`` in any validation so far."""
        self.meters = StepMeters()
        self.gradient_norm: Tensor | None = None
        """Norm of the last step's gradients before clipping."""
        self.learning_rate = 0.0
        """Learning rate of the last step."""
        self.epochs_started = 0
        """Number of epochs of which at least one batch was trained on."""
        self.last_validation: ValidationResult | None = None
        is_text = TASKS[task].is_text
        self.guard = StepGuard(
            settings,
            is_likelihood=is_text,
            report=FailedSteps(subwords=subwords if is_text else None),
        )
        """Watches for divergence; without a folder for its reports until `fit` gives it one."""
        self._validation: RunValidation | None = None
        self._averaged = ExitStack()
        self._optimizer: torch.optim.Optimizer | None = None

    @classmethod
    def of_run(
        cls, run: RunSettings, prepared: Prepared, *, total_steps: int | None = None
    ) -> TranslationModule:
        """Return the module of a run, its weights initialized from the run's seed.

        Args:
            run: the settings.
            prepared: its text.
            total_steps: optimizer steps of the whole run, for the cosine schedule; None asks the Trainer.

        Raises:
            PluginError: a cell or attention is unknown or does not accept its options.
        """
        torch.manual_seed(run.seed)
        counts = prepared.target_counts()
        model = build_network(
            run.task,
            run.model,
            prepared.subwords.source.size,
            prepared.subwords.target.size,
            target_counts=None if counts is None else torch.from_numpy(counts),
        )
        return cls(
            model=model,
            settings=run.training,
            search=run.search,
            subwords=prepared.subwords,
            references=prepared.valid_target,
            tokenize=chosen_tokenizer(run.data.tokenize, run.data.target_language),
            seed=run.seed,
            total_steps=total_steps,
            task=run.task,
            valid_sets=sets_of_run(prepared.validation, run.data),
        )

    # Training

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimizer; its learning rate is set in each step, so Lightning needs no scheduler."""
        self._optimizer = build_optimizer(
            self.model, self.settings.optimizer, fused=not self._uses_gradient_scaler()
        )
        return self._optimizer

    def on_fit_start(self) -> None:
        """Prepare for batches, when the strategy is set up."""
        self.parts = parts_of_batches(self, self.model, self.settings.label_smoothing, self.seed)

    def on_train_start(self) -> None:
        """Ask for the number of steps; asked earlier, Lightning would not restore the position in the data."""
        if self.total_steps is None:
            steps = self.trainer.estimated_stepping_batches
            self.total_steps = int(steps) if 0 < steps < float("inf") else None

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Make the random numbers of this step a function of its epoch, its position and the process alone."""
        self.epochs_started = self.trainer.current_epoch + 1
        self.parts.start(batch_idx)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return this micro-batch's contribution to the global batch's mean loss per target piece, a scalar."""
        loss, likelihood = self.parts.loss(batch)
        share, counts = self.guard.add(loss, batch, likelihood)
        self.meters.add(likelihood, batch.target_pieces, counts)
        return share

    def backward(self, loss: Tensor, *arguments: Any, **named: Any) -> None:
        """Accumulate the gradients of a micro-batch."""
        self.parts.backward(loss, *arguments, **named)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as in the settings, and store the norm; clipping arguments of the Trainer take precedence.

        Raises:
            DivergenceError: the step diverged and ends the training; it has not changed the weights.
        """
        trainer_clips = gradient_clip_val is not None
        self.gradient_norm = clip_gradients(
            self.model,
            largest_norm=0.0 if trainer_clips else self.settings.clip_norm,
            largest_value=0.0 if trainer_clips else self.settings.clip_value,
        )
        if trainer_clips:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        self.guard.before_step(
            self.gradient_norm,
            optimizer,
            number=self.global_step,
            epoch=self.trainer.current_epoch,
            learning_rate=self.learning_rate,
            scaled=self._uses_gradient_scaler(),
        )

    def check_gradients(self) -> None:
        """Wait for the device, and check the steps since the last call; all processes must take part.

        Raises:
            DivergenceError: a step diverged, and must end the training.
        """
        self.guard.check(scaled=self._uses_gradient_scaler())

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Take a step at its learning rate, then update the moving average."""
        rate = self.schedule.rate(self.global_step, self.progress())
        self.learning_rate = rate * self.guard.rate_factor
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate
        super().optimizer_step(*arguments, **named)
        if self.average is not None:
            self.average.update()

    def _uses_gradient_scaler(self) -> bool:
        """Whether a gradient scaler, in fp16, skips steps that overflow."""
        return self.trainer.precision == "16-mixed"

    def progress(self) -> float:
        """Return the fraction of the run that is over: of its steps, or of its time if that ends sooner."""
        return max(self.steps_done(), self.time_progress)

    def steps_done(self) -> float:
        """Return the fraction of all steps that are done."""
        return min(1.0, self.global_step / self.total_steps) if self.total_steps else 0.0

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Write a log row if one is due."""
        self.log_step(batch_idx)

    def log_step(self, batch_idx: int) -> None:
        """Write a log row every few steps; only these steps wait for the device. A second call of the same step does nothing."""
        step = self.global_step
        due = not (batch_idx + 1) % self.trainer.accumulate_grad_batches and not step % _STEPS_BETWEEN_LOGS
        if not due or step == self.meters.logged_step:
            return
        self.meters.logged_step = step
        self.check_gradients()
        row = {
            **self.guard.logged(),
            "train_loss": self.meters.log.take().mean_loss,
            "gradient_norm": float(self.gradient_norm) if self.gradient_norm is not None else 0.0,
            "learning_rate": self.learning_rate,
        }
        for logger in self.loggers:  # self.log would cost time in every step, this only in some
            logger.log_metrics(row, step=step)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move a batch to the device."""
        return batch.to(device)

    # Validation

    def averaged(self) -> AbstractContextManager[None]:
        """Context manager that puts the weights to be evaluated into the model: a moving average's, or the optimizer's."""
        if self.average is not None:
            return self.average.applied()
        return evaluation_weights(self._optimizer, self.model.parameters())

    def new_validation(self, beam_size: int | None = None) -> RunValidation:
        """Return a new validation of this model; the beam size is by default ``settings.valid_beam_size``."""
        search = self.search if beam_size is None else self.search.model_copy(update={"beam_size": beam_size})
        make = functools.partial(
            part_of(TASKS[self.task].validation),
            self.model,
            search=search,
            subwords=self.subwords,
            references=self.references,
        )
        return validation_of_sets(self.valid_sets, make, self.settings.validation_set, self.tokenize)

    def record_validation(self, result: ValidationResult) -> bool:
        """Store the result, pass it to the schedule, and return whether its metric is the best so far."""
        self.last_validation = result
        value = result.metrics[self.settings.metric]
        improved = self.best_metric is None or is_better(self.settings.metric, value, self.best_metric)
        if improved:
            self.best_metric = value
        self.schedule.record_validation(improved=improved)
        return improved

    def on_validation_epoch_start(self) -> None:
        """Start a validation in a Trainer's own loop, with the weights of the moving average if there is one."""
        self._validation = self.new_validation()
        self._averaged.enter_context(self.averaged())

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Score and translate a batch of the validation text."""
        assert self._validation is not None
        self._validation.add(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the results of the validation."""
        assert self._validation is not None
        self._averaged.close()
        result = self._validation.result()
        self._validation = None
        if not self.trainer.sanity_checking:
            self.record_validation(result)
            self.log_dict(result.logged, batch_size=1, rank_zero_only=False, sync_dist=False)

    # State

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the state that Lightning does not save itself, as plain values."""
        checkpoint[MODULE_KEY] = {
            "schedule": self.schedule.state_dict(),
            "best_metric": self.best_metric,
            "average": self.average.state_dict() if self.average is not None else None,
            "divergence": self.guard.state_dict(),
            "meters": self.meters.state_dict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the state that `on_save_checkpoint` added."""
        state = checkpoint.get(MODULE_KEY)
        if state is None:
            return
        self.schedule.load_state_dict(state["schedule"])
        self.best_metric = state["best_metric"]
        if self.average is not None and state["average"] is not None:
            self.average.load_state_dict(state["average"])
        if "meters" in state:  # missing in checkpoints of earlier versions
            self.guard.load_state_dict(state["divergence"])
            self.meters.load_state_dict(state["meters"])
