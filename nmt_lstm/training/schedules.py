"""The learning rate as a function of the step, with warm-up; plateau alone remembers something."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nmt_lstm.config.schema import ScheduleSettings

__all__ = ["LearningRateSchedule"]


@dataclass
class LearningRateSchedule:
    """Learning rates of a run, in optimizer steps counted from 0.

    A rate depends on the step and on `progress` alone, so that a resumed training needs no stored schedule. Only
    "plateau" keeps a state: its falls so far, and the validations it has waited.
    """

    settings: ScheduleSettings
    peak: float
    """Learning rate after warm-up."""
    falls: int = 0
    """plateau: how often the rate has fallen."""
    waited: int = 0
    """plateau: validations without improvement since the last fall."""

    def rate(self, step: int, progress: float) -> float:
        """Return the learning rate of optimizer step `step`, at `progress` in 0..1 through the whole training."""
        warmup = self.settings.warmup_steps
        warm = min(1.0, (step + 1) / warmup) if warmup else 1.0
        return self.peak * warm * max(self.settings.minimum_ratio, self._shape(step, progress))

    def _shape(self, step: int, progress: float) -> float:
        settings = self.settings
        match settings.name:
            case "constant":
                return 1.0
            case "inverse_square_root":
                warmup = max(settings.warmup_steps, 1)
                return math.sqrt(warmup / max(step + 1, warmup))
            case "cosine":
                lowest = settings.minimum_ratio
                wave = 0.5 * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
                return lowest + (1.0 - lowest) * wave
            case "step":
                return settings.factor ** (step // settings.interval_steps)
            case "plateau":
                return settings.factor**self.falls

    def observe(self, *, improved: bool) -> None:
        """Tell "plateau" the outcome of a validation; the other schedules do not listen."""
        if self.settings.name != "plateau":
            return
        self.waited = 0 if improved else self.waited + 1
        if self.waited > self.settings.patience:
            self.falls += 1
            self.waited = 0

    def state_dict(self) -> dict[str, int]:
        """What a checkpoint keeps."""
        return {"falls": self.falls, "waited": self.waited}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restore the state in a checkpoint."""
        self.falls, self.waited = int(state["falls"]), int(state["waited"])
