"""Norms of the whole gradient, summed over optimizer steps without waiting for the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["NormSums", "Norms"]


class Norms(NamedTuple):
    """Mean norms of the whole gradient over some steps."""

    steps: int
    mean: float
    """Before clipping."""
    mean_clipped: float
    """After clipping."""
    clipped_share: float
    """Share of the steps that were clipped, from 0 to 1."""


class NormSums:
    """Sums of norms over steps. They stay on the device, so that no step waits for a GPU."""

    def __init__(self) -> None:
        self.steps = 0
        self.values: Tensor | None = None
        """(4,): the sums of finite norms before and after clipping, the clipped steps, and the number of finite norms."""

    def add(self, norm: Tensor, clipped: Tensor) -> None:
        """Add a step. Norms that are not finite are left out: a gradient scaler skips such steps.

        Args:
            norm: a scalar, before clipping.
            clipped: a scalar, after clipping.
        """
        finite = torch.isfinite(norm)
        row = torch.stack([norm, clipped, (clipped < norm).to(norm), torch.ones_like(norm)])
        row = torch.where(finite, row, 0.0).double()
        self.steps += 1
        self.values = row if self.values is None else self.values.to(row.device) + row

    def norms(self) -> Norms:
        """Return the means so far, all 0 before the first step."""
        if self.values is None:
            return Norms(0, 0.0, 0.0, 0.0)
        *sums, count = self.values.tolist()
        return Norms(self.steps, *(value / max(1.0, count) for value in sums))

    def state_dict(self) -> dict[str, Any]:
        """Return the sums as plain values."""
        return {"steps": self.steps, "values": None if self.values is None else self.values.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from saved sums."""
        self.steps, values = int(state["steps"]), state["values"]
        self.values = None if values is None else torch.tensor(values, dtype=torch.float64)
