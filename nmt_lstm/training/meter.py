"""What was trained on, and how fast: each reader, such as the logs and the display, has a meter of its own."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from torch import Tensor

__all__ = ["Meter", "Stretch"]


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


class Meter:
    """Sums over the training steps of this process, as tensors: reading them waits for the device, adding does not."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin a stretch now, so that the time before, such as that of a validation, counts as nothing."""
        self._loss: Tensor | float = 0.0
        self._pieces = 0
        self._begin = time.monotonic()

    def add(self, loss: Tensor | float, pieces: int) -> None:
        """Count a micro-batch: its negative log-likelihood in nats, and its target pieces."""
        self._loss = self._loss + loss
        self._pieces += pieces

    def take(self) -> Stretch:
        """Return the stretch so far, and begin the next one."""
        stretch = Stretch(float(self._loss), self._pieces, time.monotonic() - self._begin)
        self.restart()
        return stretch
