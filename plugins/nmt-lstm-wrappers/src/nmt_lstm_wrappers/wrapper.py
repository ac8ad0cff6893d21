"""The base of all wrappers, whose options name the inner cell, and random masks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from nmt_lstm import CELLS, CellWrapper

__all__ = ["Wrapper", "bernoulli", "check_rate"]


class Wrapper(CellWrapper):
    """A wrapper whose options name the inner cell.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        cell: the inner cell: a registered name, or package.module:Class.
        cell_options: options of its constructor.

    Raises:
        PluginError: the inner cell is unknown, or does not accept its options.
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, cell: str, cell_options: dict[str, Any] | None
    ) -> None:
        super().__init__(CELLS.build(cell, input_size, hidden_size, options=cell_options or {}))


def check_rate(name: str, rate: float) -> None:
    """Raise ValueError unless the rate is at least 0 and less than 1."""
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"{name} must be at least 0 and less than 1; got {rate}.")


def bernoulli(
    shape: tuple[int, ...], probability: float, like: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """Return a random mask: ones with this probability (to 1 / 65,536), else zeros, with device and dtype of `like`."""
    if like.device.type != "cpu":
        mask = torch.empty(shape, dtype=torch.float32, device=like.device)
        return mask.bernoulli_(probability, generator=generator).to(like.dtype)
    # Four elements from each draw of 64 bits: almost three times as fast as a draw per element.
    count = math.prod(shape)
    bits = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None, generator=generator)
    last = max(-(2**15), round(probability * 2**16) - 2**15 - 1)
    return (bits.view(torch.int16)[:count] <= last).view(shape).to(like.dtype)
