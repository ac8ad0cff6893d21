"""What is kept of a probe: one line of JSON that says what was run, what it reached and by what versions."""

from __future__ import annotations

import math
import platform
from datetime import UTC, datetime
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

import nmt_lstm
from nmt_lstm.lab.probes.run import ProbeRun

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "Attempt",
    "GradientFlow",
    "RunRecord",
    "time_of_now",
    "versions_of_now",
]

FORMAT: Literal["nmt-lstm probe"] = "nmt-lstm probe"
FORMAT_VERSION: Literal[1] = 1
_DIGITS = 5

# JSON has no infinity and no NaN; five digits are more than a loss on 1,000 sequences has.
Number = Annotated[
    float | None,
    PlainSerializer(
        lambda value: float(f"{value:.{_DIGITS}g}") if value is not None and math.isfinite(value) else None
    ),
]


Stopped = Literal["solved", "steps", "time limit", "diverged"]


class Attempt(BaseModel):
    """One training from the start."""

    model_config = ConfigDict(frozen=True)

    learning_rate: float
    stopped: Stopped
    steps: int
    curve: list[tuple[int, Number]]
    """(step, loss on the test sequences)."""
    largest_gradient: Number = None
    """Largest norm of all gradients together, before clipping; None where it was not finite, or not yet recorded."""

    @property
    def loss(self) -> float:
        """The last loss on the test sequences; infinite where there is no number."""
        last = self.curve[-1][1] if self.curve else None
        return last if last is not None and math.isfinite(last) else math.inf


class GradientFlow(BaseModel):
    """Norms of d loss / d state by distance from the end, for the state before the last step first."""

    model_config = ConfigDict(frozen=True)

    initial: list[Number]
    trained: list[Number]


class RunRecord(BaseModel):
    """A finished run."""

    model_config = ConfigDict(frozen=True)

    format: Literal["nmt-lstm probe"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    run: ProbeRun
    distribution: dict[str, str]
    """Where the cell is from: name, target, distribution, version."""
    parameters: int
    baseline: float
    solved_below: float
    attempts: list[Attempt] = Field(min_length=1)
    gradient_flow: GradientFlow
    """Of the best attempt."""
    seconds: Number
    """Processor time of all attempts."""
    versions: dict[str, str]
    finished: str
    """When, as ISO 8601 in UTC."""

    @property
    def best(self) -> Attempt:
        """The attempt that solved the task, else the one with the lowest last loss."""
        return min(self.attempts, key=lambda attempt: (attempt.stopped != "solved", attempt.loss))

    @property
    def loss(self) -> float:
        """The loss that the best attempt ended with."""
        return self.best.loss

    @property
    def solved(self) -> bool:
        """Whether one attempt solved the task."""
        return self.best.stopped == "solved"

    @property
    def cut_short(self) -> bool:
        """Whether the time limit, and not the steps, ended an attempt of a run that solved nothing."""
        return not self.solved and any(attempt.stopped == "time limit" for attempt in self.attempts)

    def settles(self, run: ProbeRun) -> bool:
        """Whether `run` need not be done: this is its result, and more time would not change it."""
        if self.run.identity != run.identity:
            return False
        return not self.cut_short or run.settings.time_limit <= self.run.settings.time_limit


def versions_of_now() -> dict[str, str]:
    """Return the versions of what computes."""
    return {
        "nmt-lstm": nmt_lstm.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def time_of_now() -> str:
    """Return the time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
