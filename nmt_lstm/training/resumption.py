"""A training run to be resumed: what its checkpoint says of it, and whether these settings leave anything to train."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt_lstm.config.duration import parse_duration
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import NothingLeftError
from nmt_lstm.training.budget import TimeBudget
from nmt_lstm.training.checkpoint_files import read_checkpoint
from nmt_lstm.training.output_folder import last_checkpoint
from nmt_lstm.training.progress import duration

__all__ = ["Standing", "check_resumable"]


@dataclass(frozen=True)
class Standing:
    """How far a training had come when its checkpoint was saved."""

    record: Mapping[str, Any] | None
    """What identifies the run; None in a checkpoint of something else."""
    epochs: int
    """Epochs that are done."""
    epochs_begun: int
    """Epochs of which a batch has been trained on."""
    step: int
    """Optimizer steps that are done."""
    validated: bool
    """Whether the weights of that step were validated."""
    clock: Mapping[str, float | None]
    """State of the training's clock; empty in a checkpoint of something else."""
    time_limit_reached: float | None
    """The time limit that has ended the training, in seconds; None if none has."""

    @classmethod
    def read(cls, checkpoint: Path) -> Standing:
        """Read it from a checkpoint.

        Raises:
            ModelFolderError: the checkpoint is missing, damaged or something else.
        """
        state = read_checkpoint(checkpoint)
        control = state.get("callbacks", {}).get("RunControl", {})
        progress = state.get("loops", {}).get("fit_loop", {}).get("epoch_progress", {}).get("current", {})
        step = int(state.get("global_step", 0))
        return cls(
            record=state.get("nmt_lstm_run"),
            # Lightning's own count in "epoch" is still that of the epoch that a checkpoint at its end belongs to.
            epochs=int(progress.get("processed", 0)),
            epochs_begun=int(progress.get("started", 0)),
            step=step,
            validated=control.get("validated_step") == step,
            clock=control.get("clock", {}),
            # Checkpoints of earlier versions do not say.
            time_limit_reached=control.get("time_limit_reached"),
        )

    def check(self, settings: TrainingSettings) -> None:
        """Refuse to train fewer epochs than are done.

        Raises:
            NothingLeftError: all epochs of the settings are done, and more.
        """
        epochs = settings.epochs
        if self.epochs > epochs:
            raise NothingLeftError(
                f"training.epochs is {epochs}, but {self.epochs} epochs are done already, so that nothing is left to "
                f"train. To train longer, resume with --set training.epochs={self.epochs + 1} or more.",
                key="training.epochs",
                value=epochs,
            )

    def check_time(self, settings: TrainingSettings) -> None:
        """Refuse to resume without time.

        Raises:
            NothingLeftError: the time limit is used up.
        """
        limit = parse_duration(settings.time_limit)
        if limit is None or not self.clock or self._is_at_end(settings):
            return
        budget = TimeBudget(limit)
        budget.load_state_dict(dict(self.clock))
        if limit <= (self.time_limit_reached or 0.0) or budget.is_over(budget.elapsed()):
            minutes = math.ceil(2.0 * max(limit, budget.before) / 60.0)
            raise NothingLeftError(
                f"the time limit of {settings.time_limit} is used up: this training has taken "
                f"{duration(budget.before)}, and its end needs time too. To train longer, resume with a larger "
                f"--time-limit, such as {minutes}m.",
                key="training.time_limit",
                value=settings.time_limit,
            )

    def _is_at_end(self, settings: TrainingSettings) -> bool:
        most = settings.max_steps
        return self.epochs >= settings.epochs or (most > 0 and self.step >= most)


def check_resumable(settings: TrainingSettings, output: Path) -> None:
    """Refuse to resume a training to which the settings leave nothing to do; one that is at its end may be resumed.

    Raises:
        ModelFolderError: its checkpoint cannot be read.
        NothingLeftError: its epochs or its time are used up.
    """
    checkpoint = last_checkpoint(output)
    if checkpoint.exists():
        standing = Standing.read(checkpoint)
        standing.check(settings)
        standing.check_time(settings)
