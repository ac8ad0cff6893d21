"""The stock encoder: a stack of recurrent layers over the source, each in one direction or both.

Shapes: B batch, S source, I width of inputs, M width of the states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.encoders.encoder import Encoded, Encoder
from nmt_lstm.registry import CELLS

__all__ = ["EncoderLayer", "RecurrentEncoder"]


class EncoderLayer(nn.Module):
    """A cell that reads from left to right and, in a bidirectional layer, a second one that reads from right to left.

    Padding stands at the end, where the forward cell cannot see it; the backward cell reads each sentence reversed
    within its own length.

    Args:
        forward_cell: reads from left to right.
        backward_cell: reads from right to left; None in a unidirectional layer.
        keeps_states: return the last states, too. The cells then read position by position, which is slower: a sequence
            read at once has only the state after the padding.
    """

    def __init__(self, *, forward_cell: Cell, backward_cell: Cell | None, keeps_states: bool = False) -> None:
        super().__init__()
        self.forward_cell = forward_cell
        self.backward_cell = backward_cell
        self.keeps_states = keeps_states

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

    @property
    def state_sizes(self) -> Mapping[str, int]:
        """Names and widths of the last states, both directions together."""
        sizes = self.forward_cell.state_sizes
        if self.backward_cell is None:
            return sizes
        return {name: width + self.backward_cell.state_sizes[name] for name, width in sizes.items()}

    def forward(self, inputs: Tensor, reversal: Tensor, last: Tensor) -> tuple[Tensor, Tensor, State]:
        """Read sentences.

        Args:
            inputs: (B, S, I).
            reversal: (B*S,), for each flat position the one that it changes places with when sentences are reversed.
            last: (B,), flat positions of the last real pieces in B*S.

        Returns:
            Outputs (B, S, output_size), arbitrary on padding, the outputs (B, output_size) where each direction ends, and
            the states there, as `state_sizes`, if they are kept.
        """
        batch, length = inputs.shape[:2]
        lengths = last + 1 - torch.arange(batch, device=last.device) * length
        forward, forward_state = self._read(self.forward_cell, inputs, lengths)
        forward_end = forward.flatten(0, 1).index_select(0, last)
        if self.backward_cell is None:
            return forward, forward_end, forward_state
        reversed_inputs = inputs.flatten(0, 1).index_select(0, reversal).view_as(inputs)
        backward, backward_state = self._read(self.backward_cell, reversed_inputs, lengths)
        # A reversal is its own inverse. Read backwards, the last position is the sentence's first piece.
        flat = backward.flatten(0, 1)
        outputs = torch.cat([forward, flat.index_select(0, reversal).view_as(backward)], -1)
        states = tuple(torch.cat(pair, -1) for pair in zip(forward_state, backward_state, strict=True))
        return outputs, torch.cat([forward_end, flat.index_select(0, last)], -1), states

    def _read(self, cell: Cell, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, State]:
        """Return a cell's outputs (B, S, output_size) and, if they are kept, its states after `lengths` (B,) positions."""
        state = cell.initial_state(inputs.shape[0])
        if not self.keeps_states:
            return cell(inputs, state)[0], ()
        outputs = []
        for number, position in enumerate(inputs.unbind(1)):
            output, after = cell.step(position, state)
            outputs.append(output)
            reads = (number < lengths)[:, None]
            state = tuple(torch.where(reads, new, old) for new, old in zip(after, state, strict=True))
        return torch.stack(outputs, 1), state


class RecurrentEncoder(Encoder):
    """Layers of a recurrent cell, each in both directions or from left to right only.

    Equations, for layer l and position t, with one cell for each direction::

        forward  f_t = cell_f(x_t, f_{t-1})
        backward b_t = cell_b(x_t, b_{t+1})
        output   y_t = [f_t; b_t]

    The summary is the top layer's output where each direction ends.

    Source: Schuster and Paliwal 1997; for translation Bahdanau et al. 2015, and Wu et al. 2016 (directions "first").

    The layers are its children "0", "1" and so on, under which model folders store their weights.

    Args:
        input_size: width of the embeddings.
        dropout: applied between layers.
        cell: registered cell, or package.module:Class.
        cell_options: options of the cell's constructor.
        layers: number of layers.
        hidden_size: width of each direction of each layer.
        directions: all layers bidirectional, only the first, or none.
        residual: add each layer's input to its output, from the second layer on, where widths agree.
        keeps_states: return the cells' last states, too, for a bridge that copies them.
    """

    def __init__(
        self,
        input_size: int,
        dropout: nn.Module | None = None,
        *,
        cell: str = "lstm",
        cell_options: dict[str, Any] | None = None,
        layers: int = 1,
        hidden_size: int = 512,
        directions: Literal["bidirectional", "first", "unidirectional"] = "bidirectional",
        residual: bool = False,
        keeps_states: bool = False,
    ) -> None:
        super().__init__(input_size, dropout)
        if layers < 1:
            raise ValueError(f"layers must be at least 1; got {layers}.")
        self.residual = residual
        bidirectional = {"bidirectional": layers, "first": 1, "unidirectional": 0}[directions]
        width = input_size
        for number in range(layers):
            # Forward before backward: weights are drawn with torch's global random numbers.
            cells: list[Cell | None] = [
                CELLS.build(cell, width, hidden_size, options=cell_options or {})
                for _ in range(2 if number < bidirectional else 1)
            ]
            forward_cell, backward_cell = cells if len(cells) == 2 else (cells[0], None)
            layer = EncoderLayer(
                forward_cell=cast(Cell, forward_cell), backward_cell=backward_cell, keeps_states=keeps_states
            )
            self.add_module(str(number), layer)
            width = layer.output_size

    def __iter__(self) -> Iterator[EncoderLayer]:
        """Iterate over the layers, lowest first."""
        return (layer for layer in self.children() if isinstance(layer, EncoderLayer))

    def __len__(self) -> int:
        """Return the number of layers."""
        return sum(1 for _ in self)

    def __getitem__(self, number: int) -> EncoderLayer:
        """Return a layer; 0 is the lowest."""
        return list(self)[number]

    @property
    def output_size(self) -> int:
        """Width of the top layer's outputs."""
        return self[-1].output_size

    @property
    def last_state_sizes(self) -> tuple[Mapping[str, int], ...]:
        """For each layer, names and widths of the states that are kept."""
        return tuple(layer.state_sizes for layer in self if layer.keeps_states)

    @property
    def labelled_cells(self) -> list[dict[str, Cell]]:
        """The cells of each layer, lowest first; see `EncoderLayer.labelled_cells`."""
        return [layer.labelled_cells for layer in self]

    def forward(self, embedded: Tensor, is_token: Tensor) -> Encoded:
        """Read source sentences.

        Args:
            embedded: (B, S, I); or pieces (B, S), if cells prepared for inference read those.
            is_token: (B, S).
        """
        padded_length, lengths, tokens = is_token.shape[1], is_token.sum(1), is_token
        if not torch.is_grad_enabled() and is_token.device.type == "cpu":
            # Positions that are padding in every sentence need no steps; on a GPU, `max` would wait for the device.
            longest = int(lengths.max())
            embedded, tokens = embedded[:, :longest], tokens[:, :longest]
        batch, length = tokens.shape
        positions = torch.arange(length, device=tokens.device)
        offsets = torch.arange(batch, device=tokens.device)[:, None] * length
        # Padding stays where it is, so that the index is a permutation.
        reversed_positions = torch.where(tokens, lengths[:, None] - 1 - positions, positions)
        reversal, last = (offsets + reversed_positions).flatten(), offsets[:, 0] + lengths - 1
        states = summary = embedded
        last_states = []
        for number, layer in enumerate(self):
            inputs = self.dropout(states) if number else states
            outputs, summary, layer_states = layer(inputs, reversal, last)
            last_states.append(layer_states)
            has_residual = self.residual and number > 0 and states.shape == outputs.shape
            states = outputs + states if has_residual else outputs
        states = functional.pad(states, (0, 0, 0, padded_length - length))
        return Encoded(states, is_token, summary, tuple(state for state in last_states if state))
