"""The result of a probe: what was run, what it achieved and with which versions, stored as a line of JSON."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
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
    "ProbeResult",
    "results_of",
]

FORMAT: Literal["nmt-lstm probe"] = "nmt-lstm probe"
FORMAT_VERSION: Literal[1] = 1
_DIGITS = 5

# JSON has neither infinity nor NaN; five digits are more precise than a loss on 1,000 sequences.
Number = Annotated[
    float | None,
    PlainSerializer(
        lambda value: float(f"{value:.{_DIGITS}g}") if value is not None and math.isfinite(value) else None
    ),
]

Stopped = Literal["solved", "steps", "time limit", "diverged"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Attempt(_Model):
    """Training from scratch with one learning rate."""

    learning_rate: float
    stopped: Stopped
    """Why it ended."""
    steps: int
    curve: list[tuple[int, Number]]
    """(step, loss on the test sequences)."""
    largest_gradient: Number = None
    """Largest norm of all gradients together, before clipping; None if not finite, or not recorded by older versions."""

    @property
    def loss(self) -> float:
        """The last loss on the test sequences; infinite if it is not a number."""
        last = self.curve[-1][1] if self.curve else None
        return last if last is not None and math.isfinite(last) else math.inf


class GradientFlow(_Model):
    """Norms of d loss / d state by distance from the end, starting with the state before the last step."""

    initial: list[Number]
    trained: list[Number]


def _versions() -> dict[str, str]:
    return {
        "nmt-lstm": nmt_lstm.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


class ProbeResult(_Model):
    """The result of a finished run."""

    format: Literal["nmt-lstm probe"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    run: ProbeRun
    distribution: dict[str, str]
    """Origin of the cell: name, target, distribution, version."""
    parameters: int
    baseline: float
    solved_below: float
    attempts: list[Attempt] = Field(min_length=1)
    gradient_flow: GradientFlow
    """Of the best attempt."""
    seconds: Number
    """Processor time of all attempts."""
    versions: dict[str, str] = Field(default_factory=_versions)
    finished: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    """Time as ISO 8601 in UTC."""

    @property
    def best(self) -> Attempt:
        """The attempt that solved the task, otherwise the one with the lowest last loss."""
        return min(self.attempts, key=lambda attempt: (attempt.stopped != "solved", attempt.loss))

    @property
    def loss(self) -> float:
        """The last loss of the best attempt."""
        return self.best.loss

    @property
    def solved(self) -> bool:
        """Whether one attempt solved the task."""
        return self.best.stopped == "solved"

    @property
    def out_of_time(self) -> bool:
        """Whether the run solved nothing and its time limit ended an attempt."""
        return not self.solved and any(attempt.stopped == "time limit" for attempt in self.attempts)

    def settles(self, run: ProbeRun) -> bool:
        """Whether it is the result of `run`, which more time would not change."""
        if self.run.identity != run.identity:
            return False
        return not self.out_of_time or run.settings.time_limit <= self.run.settings.time_limit


def results_of(runs: Sequence[ProbeRun], results: Sequence[ProbeResult]) -> dict[str, ProbeResult]:
    """Return the newest result that settles each run, by the identity of the run; others are omitted."""
    newest = {result.run.identity: result for result in results}
    return {
        run.identity: newest[run.identity]
        for run in runs
        if run.identity in newest and newest[run.identity].settles(run)
    }
