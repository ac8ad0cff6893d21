"""The encoder: a stack of recurrent layers over the source, each in one direction or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.cells.cell import Cell
from nmt_lstm.model.dropout import Dropout

__all__ = ["Encoded", "Encoder", "EncoderLayer"]


class Encoded(NamedTuple):
    """What the encoder makes of source sentences."""

    states: Tensor
    """(B, S, M): one per piece; zeros on padding."""
    is_token: Tensor
    """(B, S), bool."""
    summary: Tensor
    """(B, Z): the last layer's output where each direction ends."""


class EncoderLayer(nn.Module):
    """A cell from left to right and, if it is bidirectional, another from right to left.

    Padding stands at the end where the forward cell cannot see it; the backward cell reads each sentence reversed
    within its own length.

    Args:
        forward_cell: from left to right.
        backward_cell: from right to left, or None.
    """

    def __init__(self, *, forward_cell: Cell, backward_cell: Cell | None) -> None:
        super().__init__()
        self.forward_cell = forward_cell
        self.backward_cell = backward_cell

    @property
    def output_size(self) -> int:
        """Width of the outputs, both directions together."""
        backward = self.backward_cell.output_size if self.backward_cell is not None else 0
        return self.forward_cell.output_size + backward

    def forward(self, inputs: Tensor, reversal: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Read sentences.

        Args:
            inputs: (B, S, I).
            reversal: (B*S,), for each place the one it changes with when sentences are reversed.
            last: (B,), places of the last real pieces in B*S.

        Returns:
            Outputs (B, S, output_size), anything on padding, and the outputs (B, output_size) where each direction ends.
        """
        batch = inputs.shape[0]
        ahead, _ = self.forward_cell(inputs, self.forward_cell.initial_state(batch))
        end = ahead.flatten(0, 1).index_select(0, last)
        if self.backward_cell is None:
            return ahead, end
        turned = inputs.flatten(0, 1).index_select(0, reversal).view_as(inputs)
        back, _ = self.backward_cell(turned, self.backward_cell.initial_state(batch))
        flat = back.flatten(0, 1)
        outputs = torch.cat([ahead, flat.index_select(0, reversal).view_as(back)], -1)
        return outputs, torch.cat([end, flat.index_select(0, last)], -1)


class Encoder(nn.Module):
    """The encoder.

    Args:
        embedding: pieces (B, S) to vectors (B, S, I).
        layers: from the lowest on.
        dropout: between layers and on the result.
        residual: add each layer's input to its output, from the second layer on, where widths agree.
    """

    def __init__(
        self,
        *,
        embedding: nn.Module,
        layers: Sequence[EncoderLayer],
        dropout: Dropout,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.layers = nn.ModuleList(layers)
        self.dropout = dropout
        self.residual = residual
        self.output_size = layers[-1].output_size
        self.summary_size = layers[-1].output_size

    def forward(self, source: SourceBatch) -> Encoded:
        """Read source sentences."""
        pieces, is_token = source.pieces, source.is_token
        if not torch.is_grad_enabled() and pieces.device.type == "cpu":
            # Positions that are padding in all sentences need no steps.
            longest = int(source.lengths.max())
            pieces, is_token = pieces[:, :longest], is_token[:, :longest]
        batch, length = pieces.shape
        places = torch.arange(length, device=pieces.device)
        rows = torch.arange(batch, device=pieces.device)[:, None] * length
        turned = torch.where(is_token, source.lengths[:, None] - 1 - places, places)
        reversal, last = (rows + turned).flatten(), rows[:, 0] + source.lengths - 1
        states: Tensor = self.embedding(pieces)
        summary = states
        for number, layer in enumerate(self.layers):
            inputs = self.dropout(states) if number else states
            outputs, summary = layer(inputs, reversal, last)
            states = (
                outputs + states if self.residual and number and states.shape == outputs.shape else outputs
            )
        # Not a product with zero: what a cell makes of padding may be infinite.
        states = self.dropout(states).masked_fill(~is_token[..., None], 0.0)
        states = functional.pad(states, (0, 0, 0, source.pieces.shape[1] - length))
        return Encoded(states, source.is_token, summary)
