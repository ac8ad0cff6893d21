"""Dropout, per position or with one mask for all positions of a sentence."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Dropout"]

# A mask is compared from random bytes, eight to a 64-bit draw: several times faster than a draw for each element.
LEVELS = 256


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014); variational: the same mask at every position (Gal and Ghahramani 2016).

    Args:
        probability: share of elements set to zero in training; the rest is scaled up.
        variational: one mask per sentence.
    """

    def __init__(self, probability: float, *, variational: bool = False) -> None:
        super().__init__()
        self.probability = probability
        self.variational = variational

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B, T, H) of the same."""
        if not self.training or not self.probability:
            return inputs
        if inputs.device.type != "cpu":
            if not self.variational:
                return functional.dropout(inputs, self.probability)
            ones = torch.ones_like(inputs[:, :1])
            return inputs * functional.dropout(ones, self.probability)
        shape = (inputs.shape[0], 1, inputs.shape[2]) if self.variational else inputs.shape
        return inputs * self._mask(shape, inputs.dtype)

    def _mask(self, shape: torch.Size | tuple[int, ...], dtype: torch.dtype) -> Tensor:
        dropped = round(self.probability * LEVELS)
        count = 1
        for size in shape:
            count *= size
        drawn = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        kept = drawn.view(torch.uint8)[:count] >= dropped
        return kept.view(shape).to(dtype).mul_(LEVELS / (LEVELS - dropped))
