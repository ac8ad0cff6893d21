"""The time of a training run: what is spent, its limit, and a forecast of what validations and the end will take."""

from __future__ import annotations

import time

__all__ = ["TimeBudget"]

_WRITING_SECONDS = 1.0
# No validation takes as long as the one before, and comparing weights at the end is worth more than some last steps.
_MARGIN = 1.3
# Even a short training should train.
_LARGEST_RESERVE = 0.35
_SURE_SHARE = 0.1
# Of the time so far, with a limit: validations between steps that would take more are left out.
_VALIDATION_SHARE = 0.15
# The first steps make kernels and fetch memory; they say little of the others.
_WARM_UP_STEPS = 10


class TimeBudget:
    """Counts from the start of `fit` on, data preparation included, and continues to count after a resume.

    With a limit, the training stops early enough for what follows it: a validation of the last weights, the
    validations in which averaged weights are compared with the best ones, and writing. Their cost is estimated from
    the validations before.
    """

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        """Seconds, or None."""
        self.before = 0.0
        """Seconds of the sessions before this one."""
        self.validation_seconds: float | None = None
        """Of the last validation; None before the first."""
        self.validated_seconds = 0.0
        """Of all validations between steps."""
        self._validation_steps = 0.0
        self._beam_factor = 1.0
        self._final_validations = 0
        self._start = time.monotonic()
        self._training_start: float | None = None
        self._first_step = 0.0
        """Seconds at the first step since this start."""
        self._warm = 0.0
        """Seconds when the slow first steps were over."""
        self._steps = 0
        self._step_seconds = 0.0
        self._progress = 0.0

    def expect(self, *, validation_steps: float, final_validations: int, beam_factor: float) -> None:
        """Say what the end will need.

        Args:
            validation_steps: how many steps of the training take about as long as a validation between steps.
            final_validations: how often the validation text is translated when the training is over.
            beam_factor: how many times slower that is than a validation between steps.
        """
        self._validation_steps = validation_steps
        self._final_validations = final_validations
        self._beam_factor = max(1.0, beam_factor)

    def elapsed(self) -> float:
        """Seconds spent so far in all sessions."""
        return self.before + time.monotonic() - self._start

    def start_training(self) -> None:
        """Note when the first step begins: before that no learning rate falls."""
        self._first_step = self.elapsed()
        if self._training_start is None:
            self._training_start = self._first_step

    def count_step(self) -> None:
        """Note that a step ended; before the first validation, steps tell how fast this machine is."""
        if self.validation_seconds is None:
            self._steps += 1
            if self._steps == _WARM_UP_STEPS:
                self._warm = self.elapsed()
            warm = self._steps > _WARM_UP_STEPS
            steps = self._steps - _WARM_UP_STEPS if warm else self._steps
            self._step_seconds = (self.elapsed() - (self._warm if warm else self._first_step)) / steps

    def count_validation(self, seconds: float) -> None:
        """Note how long a validation took."""
        self.validation_seconds = seconds
        self.validated_seconds += seconds

    def affords_validation(self, elapsed: float) -> bool:
        """Whether a validation between steps leaves training most of a limited time."""
        spent = self.validated_seconds + self.expected_validation()
        return self.limit is None or spent <= _VALIDATION_SHARE * elapsed

    def affords_last_validation(self, elapsed: float) -> bool:
        """Whether a validation of the last weights stays within the limit; they are validated like those between steps."""
        return self._fits(elapsed, self.expected_validation())

    def expected_validation(self) -> float:
        """Estimated seconds of a validation between steps: as long as the last one, or as some steps."""
        if self.validation_seconds is not None:
            return self.validation_seconds
        return self._validation_steps * self._step_seconds

    def reserve(self) -> float:
        """Estimated seconds from the last step to the end."""
        validations = _MARGIN * (1.0 + self._final_validations * self._beam_factor)
        needed = _WRITING_SECONDS + validations * self.expected_validation()
        return needed if self.limit is None else min(needed, _LARGEST_RESERVE * self.limit)

    def has_time_to_validate(self) -> bool:
        """Whether another validation after the training stays within the limit."""
        return self._fits(self.elapsed(), self.expected_validation() * self._beam_factor)

    def _fits(self, elapsed: float, seconds: float) -> bool:
        return self.limit is None or elapsed + seconds + _WRITING_SECONDS <= self.limit

    def left(self) -> float | None:
        """Seconds until the limit, None without one."""
        return None if self.limit is None else max(0.0, self.limit - self.elapsed())

    def is_over(self, elapsed: float) -> bool:
        """Whether the training has to stop to be back in time."""
        return self.limit is not None and elapsed + self.reserve() >= self.limit

    def progress(self, elapsed: float) -> float:
        """Share of the limit's time for training that is over; 0 without a limit, and at first. Never falls.

        The first steps are slow and their share jumps: a training that will end by its steps must not be led by it, or it
        would not be the same training twice.
        """
        if self.limit is None:
            return 0.0
        start = self._training_start or 0.0
        available = self.limit - self.reserve() - start
        share = (elapsed - start) / available if available > 0.0 else 1.0
        self._progress = min(1.0, max(self._progress, share))
        return self._progress if self._progress >= _SURE_SHARE else 0.0

    def state_dict(self) -> dict[str, float | None]:
        """What a checkpoint keeps."""
        return {
            "elapsed": self.elapsed(),
            "training_start": self._training_start,
            "validation_seconds": self.validation_seconds,
            "validated_seconds": self.validated_seconds,
        }

    def load_state_dict(self, state: dict[str, float | None]) -> None:
        """Continue from the state in a checkpoint."""
        self.before = float(state["elapsed"] or 0.0)
        self._training_start = state["training_start"]
        self.validation_seconds = state["validation_seconds"]
        # Checkpoints of earlier versions do not say.
        self.validated_seconds = float(state.get("validated_seconds") or 0.0)
        # The limit may be a different one now, so the share of it that is over is counted from the start.
        self._progress = 0.0
