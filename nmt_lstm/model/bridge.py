"""The bridge: from the encoder's summary to the decoder's initial states, whatever cells both have.

Shapes: B batch, Z width of the summary.
"""

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
        state_sizes: for each decoder layer, the `bridge_sizes` of its cell.
        learned: project the summary; otherwise all values are zeros.
    """

    def __init__(
        self, *, summary_size: int, state_sizes: Sequence[Mapping[str, int]], learned: bool = True
    ) -> None:
        super().__init__()
        self.widths = [tuple(sizes.values()) for sizes in state_sizes]
        total = sum(width for layer in self.widths for width in layer)
        self.projection = Linear(summary_size, total) if learned and total else None

    def forward(self, summary: Tensor) -> tuple[State, ...]:
        """Return the arguments of each layer's `Cell.bridged_state`, (B, width) each, computed from the summary (B, Z)."""
        flat_widths = [width for layer in self.widths for width in layer]
        if self.projection is not None:
            flat = iter(torch.tanh(self.projection(summary)).split(flat_widths, -1))
        else:
            flat = iter([summary.new_zeros(summary.shape[0], width) for width in flat_widths])
        return tuple(tuple(next(flat) for _ in layer) for layer in self.widths)
