"""The meters of a run's training steps: each reader of losses and speeds has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nmt_lstm.training.throughput import TrainingMeter

__all__ = ["StepMeters"]


class StepMeters:
    """Meters that count the same steps, each since its reader last took its statistics."""

    def __init__(self) -> None:
        self.display = TrainingMeter()
        self.validation = TrainingMeter()
        """Counts the steps since the previous validation."""
        self.log = TrainingMeter()
        """Counts the steps since the previous row of the log."""
        self.logged_step = 0
        """The step of that row."""

    def add(self, loss: Tensor, pieces: int, counts: Tensor | None) -> None:
        """Count a micro-batch.

        Args:
            loss: negative log-likelihood in nats, a scalar.
            pieces: its target pieces.
            counts: whether the loss is counted, a bool scalar; None counts it.
        """
        left_out: Tensor | int = 0
        if counts is not None:
            loss, left_out = torch.where(counts, loss, 0.0), torch.where(counts, 0, pieces)
        for meter in (self.display, self.validation, self.log):
            meter.add(loss, pieces, left_out)

    def restart(self) -> None:
        """Measure the speed from now on, so that the time of a validation is left out."""
        self.display.restart()
        self.validation.restart()

    def restart_clocks(self) -> None:
        """Measure the speed from now on, but keep what a resumed run has counted before."""
        self.display.restart_clock()
        self.validation.restart_clock()

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint, so that a resumed run logs what it would have logged without a resume."""
        return {
            "validation": self.validation.state_dict(),
            "log": self.log.state_dict(),
            "logged_step": self.logged_step,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self.validation.load_state_dict(state["validation"])
        self.log.load_state_dict(state["log"])
        self.logged_step = int(state["logged_step"])
