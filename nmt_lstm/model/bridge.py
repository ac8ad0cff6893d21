"""The bridge: from the encoder's result to the decoder's initial states, whatever cells both have.

Shapes: B batch, Z width of the summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.encoders.encoder import Encoded
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["Bridge", "CopyBridge", "MeanBridge"]


class Bridge(nn.Module):
    """A learned projection with tanh (Bahdanau et al. 2015) or without it, or zeros.

    Args:
        summary_size: width of the encoder's summary.
        state_sizes: for each decoder layer, the `bridge_sizes` of its cell.
        learned: project the summary; otherwise all values are zeros.
        bounded: apply tanh to the projection.
    """

    def __init__(
        self,
        *,
        summary_size: int,
        state_sizes: Sequence[Mapping[str, int]],
        learned: bool = True,
        bounded: bool = True,
    ) -> None:
        super().__init__()
        self.widths = [tuple(sizes.values()) for sizes in state_sizes]
        self.bounded = bounded
        total = sum(width for layer in self.widths for width in layer)
        self.projection = Linear(summary_size, total) if learned and total else None

    def states(self, cells: Sequence[Cell], encoded: Encoded) -> tuple[State, ...]:
        """Return the initial states of the decoder's cells, lowest first, each (B, width)."""
        bridged = zip(cells, self(self.summary(encoded)), strict=True)
        return tuple(cell.bridged_state(projected) for cell, projected in bridged)

    def summary(self, encoded: Encoded) -> Tensor:
        """Return what is projected, (B, Z)."""
        return encoded.summary

    def forward(self, summary: Tensor) -> tuple[State, ...]:
        """Return the arguments of each layer's `Cell.bridged_state`, (B, width) each, computed from the summary (B, Z)."""
        flat_widths = [width for layer in self.widths for width in layer]
        if self.projection is not None:
            projected: Tensor = self.projection(summary)
            flat = iter((torch.tanh(projected) if self.bounded else projected).split(flat_widths, -1))
        else:
            flat = iter([summary.new_zeros(summary.shape[0], width) for width in flat_widths])
        return tuple(tuple(next(flat) for _ in layer) for layer in self.widths)


class MeanBridge(Bridge):
    """A learned projection of the mean of the encoder's states, with tanh (Sennrich et al. 2017, equation 5)."""

    def summary(self, encoded: Encoded) -> Tensor:
        """Return the mean of the states of each sentence, (B, M)."""
        # One position after the other, so that padding, which is zeros, changes no bit.
        total = encoded.states.cumsum(1, dtype=torch.promote_types(encoded.states.dtype, torch.float32))[
            :, -1
        ]
        return (total / encoded.is_token.sum(1, keepdim=True)).to(encoded.states.dtype)


class CopyBridge(Bridge):
    """Copies of the encoder's last states, layer by layer (Luong et al. 2015); nothing is learned.

    Args:
        state_sizes: for each decoder layer, the `state_sizes` of its cell; the encoder's layers have the same.
    """

    def __init__(self, *, state_sizes: Sequence[Mapping[str, int]]) -> None:
        super().__init__(summary_size=0, state_sizes=state_sizes, learned=False)

    def states(self, cells: Sequence[Cell], encoded: Encoded) -> tuple[State, ...]:
        """Return the encoder's last states, both directions together."""
        return encoded.last_states
