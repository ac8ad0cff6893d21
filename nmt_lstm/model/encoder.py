"""The encoder: a stack of recurrent layers over the source, each in one direction or both.

Shapes: B batch, S source, I width of inputs, M width of the encoder's states, Z width of the summary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.cells.cell import Cell
from nmt_lstm.model.dropout import Dropout

__all__ = ["Encoded", "Encoder", "EncoderLayer"]


class Encoded(NamedTuple):
    """The encoder's result for source sentences."""

    states: Tensor
    """(B, S, M): one state per piece; zeros on padding."""
    is_token: Tensor
    """(B, S), bool: True on pieces, False on padding."""
    summary: Tensor
    """(B, Z): the top layer's output where each direction ends."""


class EncoderLayer(nn.Module):
    """A cell that reads from left to right and, in a bidirectional layer, a second one that reads from right to left.

    Padding stands at the end, where the forward cell cannot see it; the backward cell reads each sentence reversed
    within its own length.

    Args:
        forward_cell: reads from left to right.
        backward_cell: reads from right to left; None in a unidirectional layer.
    """

    def __init__(self, *, forward_cell: Cell, backward_cell: Cell | None) -> None:
        super().__init__()
        self.forward_cell = forward_cell
        self.backward_cell = backward_cell

    @property
    def labelled_cells(self) -> dict[str, Cell]:
        """The cells by their labels in texts and files: "forward", and "backward" in a bidirectional layer."""
        cells = {"forward": self.forward_cell, "backward": self.backward_cell}
        return {label: cell for label, cell in cells.items() if cell is not None}

    @property
    def output_size(self) -> int:
        """Width of the outputs, both directions together."""
        backward = self.backward_cell.output_size if self.backward_cell is not None else 0
        return self.forward_cell.output_size + backward

    def forward(self, inputs: Tensor, reversal: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Read sentences.

        Args:
            inputs: (B, S, I).
            reversal: (B*S,), for each flat position the one that it changes places with when sentences are reversed.
            last: (B,), flat positions of the last real pieces in B*S.

        Returns:
            Outputs (B, S, output_size), arbitrary on padding, and the outputs (B, output_size) where each direction ends.
        """
        batch = inputs.shape[0]
        forward, _ = self.forward_cell(inputs, self.forward_cell.initial_state(batch))
        forward_end = forward.flatten(0, 1).index_select(0, last)
        if self.backward_cell is None:
            return forward, forward_end
        reversed_inputs = inputs.flatten(0, 1).index_select(0, reversal).view_as(inputs)
        backward, _ = self.backward_cell(reversed_inputs, self.backward_cell.initial_state(batch))
        # A reversal is its own inverse. Read backwards, the last position is the sentence's first piece.
        flat = backward.flatten(0, 1)
        outputs = torch.cat([forward, flat.index_select(0, reversal).view_as(backward)], -1)
        return outputs, torch.cat([forward_end, flat.index_select(0, last)], -1)


class Encoder(nn.Module):
    """The encoder.

    Args:
        embedding: turns pieces (B, S) into vectors (B, S, I).
        layers: lowest first.
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

    @property
    def labelled_cells(self) -> list[dict[str, Cell]]:
        """The cells of each layer, lowest first; see `EncoderLayer.labelled_cells`."""
        return [cast(EncoderLayer, layer).labelled_cells for layer in self.layers]

    def forward(self, source: SourceBatch) -> Encoded:
        """Read source sentences of S positions."""
        pieces, is_token = source.pieces, source.is_token
        if not torch.is_grad_enabled() and pieces.device.type == "cpu":
            # Positions that are padding in every sentence need no steps; on a GPU, `max` would wait for the device.
            longest = int(source.lengths.max())
            pieces, is_token = pieces[:, :longest], is_token[:, :longest]
        batch, length = pieces.shape
        positions = torch.arange(length, device=pieces.device)
        offsets = torch.arange(batch, device=pieces.device)[:, None] * length
        # Padding stays where it is, so that the index is a permutation.
        reversed_positions = torch.where(is_token, source.lengths[:, None] - 1 - positions, positions)
        reversal, last = (offsets + reversed_positions).flatten(), offsets[:, 0] + source.lengths - 1
        states: Tensor = self.embedding(pieces)
        summary = states
        for number, layer in enumerate(self.layers):
            inputs = self.dropout(states) if number else states
            outputs, summary = layer(inputs, reversal, last)
            has_residual = self.residual and number > 0 and states.shape == outputs.shape
            states = outputs + states if has_residual else outputs
        # Not a product with zero: a cell's outputs on padding may be infinite.
        states = self.dropout(states).masked_fill(~is_token[..., None], 0.0)
        states = functional.pad(states, (0, 0, 0, source.pieces.shape[1] - length))
        return Encoded(states, source.is_token, summary)
