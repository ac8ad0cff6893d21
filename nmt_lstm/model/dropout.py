"""Dropout, per position or with one mask for all positions of a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Dropout"]

# A mask is compared from random bytes, eight to a 64-bit draw: several times faster than a draw for each element.
LEVELS = 256


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014); variational: the same mask at every position (Gal and Ghahramani 2016).

    On a processor the probability is rounded to a multiple of 1/256, if that is neither 0 nor 1.

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
        if self.variational:
            return inputs * self._mask((inputs.shape[0], 1, inputs.shape[2]), inputs)
        if inputs.device.type != "cpu":
            return functional.dropout(inputs, self.probability)
        return inputs * self._mask(inputs.shape, inputs)

    def masks(self, like: Tensor, widths: Sequence[int]) -> tuple[Tensor, ...]:
        """Return what the rows of a sequence that is walked step by step are multiplied with at each step.

        Args:
            like: (R, ...), of the rows' number, device and number format.
            widths: of the rows, one for each place where they are dropped.

        Returns:
            A mask (R, width) for each place; none unless dropout is variational and at work.
        """
        if not (self.training and self.probability and self.variational):
            return ()
        return tuple(self._mask((like.shape[0], width), like) for width in widths)

    def _mask(self, shape: Sequence[int], like: Tensor) -> Tensor:
        dropped = round(self.probability * LEVELS)
        if like.device.type != "cpu" or not 0 < dropped < LEVELS:
            return functional.dropout(like.new_ones(shape), self.probability)
        count = math.prod(shape)
        drawn = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        kept = drawn.view(torch.uint8)[:count] >= dropped
        return kept.view(*shape).to(like.dtype).mul_(LEVELS / (LEVELS - dropped))
