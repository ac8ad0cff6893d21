"""What was trained and how fast: since the last look, for the display, and since the last validation, for logs and curve."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from nmt_lstm.training.module import Tally

__all__ = ["Speedometer", "Stretch"]


@dataclass(frozen=True)
class Stretch:
    """A part of a training run."""

    loss: float
    """Negative log-likelihood of its target pieces, in nats."""
    pieces: int
    """Target pieces of this process, END counted and padding not."""
    seconds: float

    @property
    def mean_loss(self) -> float:
        """Nats per target piece; NaN if there were none."""
        return self.loss / self.pieces if self.pieces else math.nan

    def speed(self, processes: int) -> float:
        """Target pieces per second of so many processes."""
        return self.pieces * processes / max(self.seconds, 1e-9)


class Speedometer:
    """Adds stretches up; what passes between `read` and `restart` (a validation) counts as nothing."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._since_validation = Stretch(0.0, 0, 0.0)

    def read(self, tally: Tally) -> Stretch:
        """Return what the tally has counted since it was read before, and empty it."""
        now, taken = time.monotonic(), tally.take()
        stretch = Stretch(float(taken.loss), taken.pieces, now - self._last)
        self._last = now
        before = self._since_validation
        self._since_validation = Stretch(
            before.loss + stretch.loss, before.pieces + stretch.pieces, before.seconds + stretch.seconds
        )
        return stretch

    def since_validation(self) -> Stretch:
        """Return all that was read since this was asked before."""
        stretch, self._since_validation = self._since_validation, Stretch(0.0, 0, 0.0)
        return stretch

    def restart(self) -> None:
        """Let the next stretch begin now."""
        self._last = time.monotonic()
