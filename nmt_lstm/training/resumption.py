"""Resuming a run: what its checkpoint says about its progress, and whether the settings leave anything to train."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt_lstm.config.duration import parse_duration
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ModelFolderError, NothingLeftError
from nmt_lstm.plain_text import count_of
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.fit_callback import CALLBACK_KEY, RUN_KEY
from nmt_lstm.training.output_folder import checkpoint_path, has_checkpoint, previous_checkpoint_path
from nmt_lstm.training.progress import duration
from nmt_lstm.training.time_budget import TimeBudget

__all__ = ["ResumePoint", "check_resumable"]


@dataclass(frozen=True)
class ResumePoint:
    """The progress of a run when its checkpoint was saved; defaults stand for what a foreign checkpoint does not say."""

    path: Path
    """The checkpoint."""
    identity: Mapping[str, Any] | None
    """What identifies the run; None in a checkpoint of another program."""
    epochs: int
    """Completed epochs."""
    epochs_started: int
    """Epochs of which at least one batch was trained on."""
    step: int
    """Completed optimizer steps."""
    validated: bool
    """Whether the weights of that step were validated."""
    clock: Mapping[str, float | None]
    """State of the run's `TimeBudget`; empty in a checkpoint of another program."""
    time_limit_reached: float | None
    """The time limit that stopped the run, in seconds; None if none did."""
    logs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Lengths and checksums of the logs; empty in checkpoints of earlier versions."""
    damage: str = ""
    """What is wrong with the newest checkpoint, if this is the previous one."""

    @classmethod
    def newest(cls, output: Path) -> ResumePoint | None:
        """Read the newest sound checkpoint of the run in `output`; None if it has saved none.

        Raises:
            ModelFolderError: all checkpoints are damaged.
        """
        if not has_checkpoint(output):
            return None
        newest = checkpoint_path(output)
        previous = previous_checkpoint_path(newest)
        try:
            return cls.read(newest)
        except ModelFolderError as problem:
            if not previous.exists():
                raise
            damage = str(problem.value)
        try:
            return dataclasses.replace(cls.read(previous), damage=damage)
        except ModelFolderError as problem:
            raise ModelFolderError(
                f"both checkpoints of this run are damaged: '{newest}': {damage}; '{previous}': {problem.value}. Restore one "
                f"of them from a copy, or train again without --resume, into a different folder.",
                path=newest,
                value=damage,
            ) from None

    def warning(self, output: Path) -> str:
        """Return the sentence that says that the newest checkpoint is damaged; empty if it is not."""
        if not self.damage:
            return ""
        return (
            f"warning: '{checkpoint_path(output)}' is damaged: {self.damage}. Resuming from the checkpoint before it, that of "
            f"step {self.step:,}."
        )

    @classmethod
    def read(cls, checkpoint: Path) -> ResumePoint:
        """Read the resume point of a checkpoint.

        Raises:
            ModelFolderError: the checkpoint is missing, damaged or not a checkpoint.
        """
        state = read_checkpoint(checkpoint)
        callback = state.get("callbacks", {}).get(CALLBACK_KEY, {})
        progress = state.get("loops", {}).get("fit_loop", {}).get("epoch_progress", {}).get("current", {})
        step = int(state.get("global_step", 0))
        return cls(
            path=checkpoint,
            identity=state.get(RUN_KEY),
            # Not Lightning's "epoch": at the end of an epoch that is still the number of the epoch that ends.
            epochs=int(progress.get("processed", 0)),
            epochs_started=int(progress.get("started", 0)),
            step=step,
            validated=callback.get("validated_step") == step,
            clock=callback.get("clock", {}),
            # Missing in checkpoints of earlier versions.
            time_limit_reached=callback.get("time_limit_reached"),
            logs=callback.get("logs", {}),
        )

    def check_epochs(self, settings: TrainingSettings) -> None:
        """Raise an error if more epochs are completed than the settings allow.

        Raises:
            NothingLeftError: they are.
        """
        epochs = settings.epochs
        if self.epochs > epochs:
            raise NothingLeftError(
                f"training.epochs is {epochs}, but {count_of(self.epochs, 'epoch')} are already done, so nothing is left to "
                f"train. To train longer, resume with --set training.epochs={self.epochs + 1} or more.",
                key="training.epochs",
                value=epochs,
            )

    def check_steps(self, settings: TrainingSettings) -> None:
        """Raise an error if more steps are done than the settings allow: the record of the run would deny them.

        Raises:
            NothingLeftError: they are.
        """
        steps = settings.max_steps
        if 0 < steps < self.step:
            raise NothingLeftError(
                f"training.max_steps is {steps}, but {count_of(self.step, 'step')} are already done, so nothing is left to "
                f"train. To train longer, resume with --set training.max_steps={self.step + 1} or more.",
                key="training.max_steps",
                value=steps,
            )

    def check_time(self, settings: TrainingSettings) -> None:
        """Raise an error if the time limit is used up, and the run is not at its end or took more than the limit.

        Raises:
            NothingLeftError: it is.
        """
        limit = parse_duration(settings.time_limit)
        if limit is None or not self.clock:
            return
        budget = TimeBudget(limit)
        budget.load_state_dict(dict(self.clock))
        if self._is_at_end(settings) and limit >= budget.earlier_seconds:
            return
        if limit <= (self.time_limit_reached or 0.0) or budget.is_over(budget.elapsed()):
            minutes = math.ceil(2.0 * max(limit, budget.earlier_seconds) / 60.0)
            raise NothingLeftError(
                f"the time limit of {settings.time_limit} is used up: this run has taken "
                f"{duration(budget.earlier_seconds)}, and finishing needs time too. To train longer, resume with a "
                f"larger --time-limit, such as {minutes}m.",
                key="training.time_limit",
                value=settings.time_limit,
            )

    def _is_at_end(self, settings: TrainingSettings) -> bool:
        return self.epochs >= settings.epochs or 0 < settings.max_steps <= self.step


def check_resumable(settings: TrainingSettings, output: Path) -> None:
    """Raise an error if the settings leave the run in `output` nothing to do; a run at its end may be resumed.

    Raises:
        ModelFolderError: its checkpoints cannot be read.
        NothingLeftError: its epochs, its steps or its time are used up.
    """
    point = ResumePoint.newest(output)
    if point is not None:
        point.check_epochs(settings)
        point.check_steps(settings)
        point.check_time(settings)
