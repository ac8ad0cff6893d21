"""Learning rate schedules with warm-up; only "plateau" has a state."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nmt_lstm.config.schema import ScheduleSettings

__all__ = ["LearningRateSchedule"]


@dataclass
class LearningRateSchedule:
    """Learning rates of a run, in optimizer steps counted from 0.

    Most schedules depend only on the step and on `progress`, which a resumed run knows. "plateau" also depends on the
    validations so far, so checkpoints contain its two counts.
    """

    settings: ScheduleSettings
    peak: float
    """Learning rate after warm-up."""
    reductions: int = 0
    """plateau: how often the rate was reduced."""
    stale_validations: int = 0
    """plateau: validations without improvement since the last reduction."""

    def rate(self, step: int, progress: float) -> float:
        """Return the learning rate of optimizer step `step`, at `progress` in 0..1 through the whole run."""
        warmup = self.settings.warmup_steps
        warm = min(1.0, (step + 1) / warmup) if warmup else 1.0
        return self.peak * warm * max(self.settings.minimum_ratio, self._shape(step, progress))

    def _shape(self, step: int, progress: float) -> float:
        settings = self.settings
        match settings.name:
            case "constant":
                return 1.0
            case "inverse_square_root":
                # Vaswani et al. 2017, "Attention Is All You Need", scaled so that warm-up ends at the peak.
                warmup = max(settings.warmup_steps, 1)
                return math.sqrt(warmup / max(step + 1, warmup))
            case "cosine":
                # Half a cosine from 1 to the minimum, without restarts (Loshchilov and Hutter 2017, "SGDR").
                lowest = settings.minimum_ratio
                wave = 0.5 * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
                return lowest + (1.0 - lowest) * wave
            case "step":
                return settings.factor ** (step // settings.interval_steps)
            case "plateau":
                return settings.factor**self.reductions

    def record_validation(self, *, improved: bool) -> None:
        """Count the outcome of a validation for "plateau"; the other schedules ignore it."""
        if self.settings.name != "plateau":
            return
        self.stale_validations = 0 if improved else self.stale_validations + 1
        if self.stale_validations > self.settings.patience:
            self.reductions += 1
            self.stale_validations = 0

    def state_dict(self) -> dict[str, int]:
        """Return the state for a checkpoint."""
        # The keys are the names that the fields had when the format of checkpoints was fixed.
        return {"falls": self.reductions, "waited": self.stale_validations}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restore the state from a checkpoint."""
        self.reductions, self.stale_validations = int(state["falls"]), int(state["waited"])
