"""Dropout, with a mask for each position or one for all positions of a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Dropout"]

# A mask is made by comparing random bytes, eight from each 64-bit draw: several times faster than a draw per element.
LEVELS = 256


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014); if variational, the same mask at every position (Gal and Ghahramani 2016).

    On a CPU the probability is rounded to a multiple of 1/256, unless that is 0 or 1.

    Args:
        probability: share of elements set to zero in training; the others are scaled up.
        variational: one mask per sentence.
    """

    def __init__(self, probability: float, *, variational: bool = False) -> None:
        super().__init__()
        self.probability = probability
        self.variational = variational

    def forward(self, inputs: Tensor) -> Tensor:
        """Return inputs (B, T, H) after dropout."""
        if not self.training or not self.probability:
            return inputs
        if self.variational:
            return inputs * self._mask((inputs.shape[0], 1, inputs.shape[2]), inputs)
        if inputs.device.type != "cpu":
            return functional.dropout(inputs, self.probability)
        return inputs * self._mask(inputs.shape, inputs)

    def masks(self, like: Tensor, widths: Sequence[int]) -> tuple[Tensor, ...]:
        """Return variational masks for a sequence that is computed step by step, the same at each step.

        Args:
            like: (R, ...), with the number of rows, device and dtype of the masks.
            widths: of the masks.

        Returns:
            A mask (R, width) for each width; none unless dropout is variational, in training and above 0.
        """
        if not (self.training and self.probability and self.variational):
            return ()
        return tuple(self._mask((like.shape[0], width), like) for width in widths)

    def _mask(self, shape: Sequence[int], like: Tensor) -> Tensor:
        dropped = round(self.probability * LEVELS)
        if like.device.type != "cpu" or not 0 < dropped < LEVELS:
            return functional.dropout(like.new_ones(shape), self.probability)
        count = math.prod(shape)
        # From -(2**63) up to the largest number: all 64 bits are random, and so are the eight bytes.
        words = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        mask = words.view(torch.uint8)[:count] >= dropped
        return mask.view(*shape).to(like.dtype).mul_(LEVELS / (LEVELS - dropped))
