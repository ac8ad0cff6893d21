"""Positions as vectors, for encoders that would otherwise not know the order of the pieces."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["sinusoids", "with_positions"]

LONGEST_WAVE = 10_000.0


def sinusoids(positions: Tensor, width: int) -> Tensor:
    """Return the vectors (S, width) of positions (S,): sines and cosines of geometrically spaced frequencies.

    They are computed, not learned and not stored, so no sentence is too long. Source: Vaswani et al. 2017.

    Args:
        positions: (S,), from 0.
        width: of a vector.
    """
    count = (width + 1) // 2
    # In float64: vector instructions and the scalar ones for rests may differ in the last bit, which float32 does not keep.
    steps = torch.arange(count, device=positions.device, dtype=torch.float64) / max(1, count - 1)
    angles = positions.double()[:, None] * torch.exp(steps * -math.log(LONGEST_WAVE))
    return torch.cat([torch.sin(angles), torch.cos(angles)], 1)[:, :width]


def with_positions(embedded: Tensor) -> Tensor:
    """Return embeddings (B, S, I), scaled to a variance of about 1, plus the vectors of their positions.

    The network's embeddings have a variance of 1 / I, beside which the positions would be far too large.
    """
    length, width = embedded.shape[1], embedded.shape[2]
    vectors = sinusoids(torch.arange(length, device=embedded.device), width)
    return embedded * math.sqrt(width) + vectors.to(embedded.dtype)
