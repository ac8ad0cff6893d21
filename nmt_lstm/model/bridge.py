"""The bridge: from the encoder's summary to the decoder's first states, whatever cells both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import State
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["Bridge"]


class Bridge(nn.Module):
    """A learned projection with tanh (Bahdanau et al. 2015), or zeros.

    Args:
        summary_size: width of the encoder's summary.
        state_sizes: for each decoder layer, names and widths of what its cell makes its state of.
        learned: project; otherwise the states are zeros.
    """

    def __init__(
        self, *, summary_size: int, state_sizes: Sequence[Mapping[str, int]], learned: bool = True
    ) -> None:
        super().__init__()
        self.widths = [tuple(sizes.values()) for sizes in state_sizes]
        total = sum(width for layer in self.widths for width in layer)
        self.projection = Linear(summary_size, total) if learned and total else None

    def forward(self, summary: Tensor) -> tuple[State, ...]:
        """Return what each layer's cell makes its state of, (B, width) each, of the summary (B, Z)."""
        flat = [width for layer in self.widths for width in layer]
        if self.projection is not None:
            parts = iter(torch.tanh(self.projection(summary)).split(flat, -1))
        else:
            parts = iter([summary.new_zeros(summary.shape[0], width) for width in flat])
        return tuple(tuple(next(parts) for _ in layer) for layer in self.widths)
