"""The time of a run: the time spent, its limit, and a forecast of the time that validations and the end need."""

from __future__ import annotations

import time

__all__ = ["TimeBudget"]

_WRITING_SECONDS = 1.0
# Validations vary in length, and comparing weights at the end is worth more than a few last steps.
_MARGIN = 1.3
# Fraction of the limit that the end may reserve: even a short run should train.
_MAX_RESERVE = 0.35
# Progress below this fraction is reported as 0, see `TimeBudget.progress`.
_MIN_PROGRESS = 0.1
# Fraction of the time so far: with a limit, validations between steps that would exceed it are left out.
_VALIDATION_SHARE = 0.15
# The first steps prepare kernels and allocate memory, so they say little about the others.
_WARM_UP_STEPS = 10


class TimeBudget:
    """Counts from the start of `fit`, data preparation included, and continues after a resume.

    With a limit, training stops early enough for what follows it: a validation of the last weights, the validations
    that compare averaged weights with the best ones, and writing. Earlier validations tell how long these take.
    """

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        """Seconds, or None."""
        self.earlier_seconds = 0.0
        """Seconds spent before the run was resumed."""
        self.validation_seconds: float | None = None
        """Of the last validation; None before the first."""
        self.validated_seconds = 0.0
        """Of all validations between steps."""
        self._validation_steps = 0.0
        self._beam_factor = 1.0
        self._final_validations = 0
        self._start = time.monotonic()
        self._training_start: float | None = None
        # Seconds of the run at the first step since this start, and after the slow first steps.
        self._first_step = 0.0
        self._warmed_up = 0.0
        self._steps = 0
        self._step_seconds = 0.0
        self._progress = 0.0

    def forecast(self, *, validation_steps: float, final_validations: int, beam_factor: float) -> None:
        """Set what the validations of the run will cost, in relation to steps.

        Args:
            validation_steps: number of training steps that take about as long as a validation between steps.
            final_validations: how often the validation text is translated after training.
            beam_factor: how many times longer each of those takes than a validation between steps.
        """
        self._validation_steps = validation_steps
        self._final_validations = final_validations
        self._beam_factor = max(1.0, beam_factor)

    def elapsed(self) -> float:
        """Return the seconds spent so far, including those before a resume."""
        return self.earlier_seconds + time.monotonic() - self._start

    def start_training(self) -> None:
        """Start to count the time of steps; `progress` leaves out the time before."""
        self._first_step = self.elapsed()
        if self._training_start is None:
            self._training_start = self._first_step

    def count_step(self) -> None:
        """Count a completed step; before the first validation, steps tell how fast this machine is."""
        if self.validation_seconds is None:
            self._steps += 1
            if self._steps == _WARM_UP_STEPS:
                self._warmed_up = self.elapsed()
            warm = self._steps > _WARM_UP_STEPS
            steps = self._steps - _WARM_UP_STEPS if warm else self._steps
            self._step_seconds = (self.elapsed() - (self._warmed_up if warm else self._first_step)) / steps

    def count_validation(self, seconds: float) -> None:
        """Count the seconds of a validation between steps."""
        self.validation_seconds = seconds
        self.validated_seconds += seconds

    def affords_validation(self, elapsed: float) -> bool:
        """Whether a validation between steps leaves most of a limited time to training."""
        seconds = self.validated_seconds + self.expected_validation()
        return self.limit is None or seconds <= _VALIDATION_SHARE * elapsed

    def affords_last_validation(self, elapsed: float) -> bool:
        """Whether a validation of the last weights, which is like those between steps, stays within the limit."""
        return self._fits(elapsed, self.expected_validation())

    def expected_validation(self) -> float:
        """Estimate the seconds of a validation between steps, from the last one or from the steps so far."""
        if self.validation_seconds is not None:
            return self.validation_seconds
        return self._validation_steps * self._step_seconds

    def reserve(self) -> float:
        """Estimate the seconds from the last step to the end of the run."""
        validations = _MARGIN * (1.0 + self._final_validations * self._beam_factor)
        needed = _WRITING_SECONDS + validations * self.expected_validation()
        return needed if self.limit is None else min(needed, _MAX_RESERVE * self.limit)

    def has_time_to_validate(self) -> bool:
        """Whether another validation after training stays within the limit."""
        return self._fits(self.elapsed(), self.expected_validation() * self._beam_factor)

    def _fits(self, elapsed: float, seconds: float) -> bool:
        return self.limit is None or elapsed + seconds + _WRITING_SECONDS <= self.limit

    def remaining(self) -> float | None:
        """Return the seconds until the limit; None without one."""
        return None if self.limit is None else max(0.0, self.limit - self.elapsed())

    def is_over(self, elapsed: float) -> bool:
        """Whether training has to stop, so that the end of the run stays within the limit."""
        return self.limit is not None and elapsed + self.reserve() >= self.limit

    def progress(self, elapsed: float) -> float:
        """Return the fraction of the time for training that is over; 0 without a limit, and at first. Never decreases.

        The first steps are slow, and the estimate fluctuates. A run that its steps will end must not depend on it, or
        it would not be reproducible.
        """
        if self.limit is None:
            return 0.0
        start = self._training_start or 0.0
        available = self.limit - self.reserve() - start
        fraction = (elapsed - start) / available if available > 0.0 else 1.0
        self._progress = min(1.0, max(self._progress, fraction))
        return self._progress if self._progress >= _MIN_PROGRESS else 0.0

    def state_dict(self) -> dict[str, float | None]:
        """Return the state for a checkpoint."""
        return {
            "elapsed": self.elapsed(),
            "training_start": self._training_start,
            "validation_seconds": self.validation_seconds,
            "validated_seconds": self.validated_seconds,
        }

    def load_state_dict(self, state: dict[str, float | None]) -> None:
        """Restore the state from a checkpoint."""
        self.earlier_seconds = float(state["elapsed"] or 0.0)
        self._training_start = state["training_start"]
        self.validation_seconds = state["validation_seconds"]
        # Missing in checkpoints of earlier versions.
        self.validated_seconds = float(state.get("validated_seconds") or 0.0)
        # The limit may have changed, so the fraction of it that is over may be smaller than before.
        self._progress = 0.0
