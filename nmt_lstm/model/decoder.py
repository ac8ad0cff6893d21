"""What every decoder wiring shares: its state, its way into search, and how rows attend.

Shapes: B batch (sentences), R rows (sentences x hypotheses, sentence by sentence), T target, S source, E output width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, cast

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attention, Memory
from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.model.bridge import Bridge
from nmt_lstm.model.dropout import Dropout
from nmt_lstm.model.encoder import Encoded
from nmt_lstm.numerics.pointwise import tanh
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["Decoded", "Decoder", "DecoderState"]


class DecoderState(NamedTuple):
    """All that a decoder needs for its next step: a value."""

    memory: Memory
    """What attention keeps, one row per sentence."""
    cells: tuple[State, ...]
    """Each layer's state, R rows."""
    attention: tuple[Tensor, ...]
    """The attention's own state, R rows; empty for most."""
    feed: tuple[Tensor, ...]
    """What the last step feeds to the next, R rows; empty unless the wiring does."""
    masks: tuple[Tensor, ...]
    """Variational dropout's masks, R rows: one for each layer's outputs, then the output's; empty out of training."""


class Decoded(NamedTuple):
    """The decoder's result for a whole target."""

    outputs: Tensor
    """(B, T, E): what the output layer takes."""
    attention: Tensor
    """(B, T, S): weights."""


class Decoder(nn.Module):
    """Base of the wirings.

    Args:
        cells: one per layer, from the lowest on.
        attention: of the source states.
        bridge: makes the first states.
        readout: makes the output, width E, of what the wiring gives it.
        dropout: between layers and on the output.
        residual: add each layer's input to its output, from the second layer on, where widths agree.
    """

    first_cell_alone_reads_embeddings: ClassVar[bool] = False
    """Whether embeddings go into the first cell as they are, and nowhere else: inference may then look its product up."""

    def __init__(
        self,
        *,
        cells: Sequence[Cell],
        attention: Attention,
        bridge: Bridge,
        readout: Linear,
        dropout: Dropout,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)
        self.attention = attention
        self.bridge = bridge
        # Inference puts another module of the same widths here.
        self.readout: nn.Module = readout
        self._output_size = readout.out_features
        self.dropout = dropout
        self.residual = residual

    @property
    def layers(self) -> list[Cell]:
        """The cells, from the lowest on."""
        return cast(list[Cell], list(self.cells))

    @property
    def output_size(self) -> int:
        """Width of the outputs, E."""
        return self._output_size

    @property
    def readout_alone_reads_contexts(self) -> bool:
        """Whether contexts go into the readout, behind the decoder's outputs, and nowhere else."""
        return False

    def start(self, encoded: Encoded) -> DecoderState:
        """Return the state before the first piece, one row per sentence."""
        memory = self.attention.prepare(encoded.states, encoded.is_token)
        bridged = zip(self.layers, self.bridge(encoded.summary), strict=True)
        return DecoderState(
            memory=memory,
            cells=tuple(cell.bridged_state(parts) for cell, parts in bridged),
            attention=self.attention.initial_state(memory),
            feed=self.initial_feed(encoded),
            masks=self.dropout.masks(
                encoded.summary, [*(cell.output_size for cell in self.layers), self.output_size]
            ),
        )

    def initial_feed(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return what is fed to the first step."""
        return ()

    def forward(self, encoded: Encoded, embedded: Tensor) -> Decoded:
        """Read a whole target, (B, T, I), one position after the other."""
        state = self.start(encoded)
        outputs, weights = [], []
        for position in embedded.unbind(1):
            output, attention, state = self.step(position, state)
            outputs.append(output)
            weights.append(attention)
        return Decoded(torch.stack(outputs, 1), torch.stack(weights, 1))

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one piece in each row.

        Args:
            embedded: (R, I).
            state: as left by the last step.

        Returns:
            The output (R, E), the attention (R, S) and the new state.
        """
        raise TypeError(f"{type(self).__name__} does not define step.")

    def attend(self, query: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Return context (R, M), weights (R, S) and attention state for one query (R, H) in each row.

        The rows of a sentence are query steps on its memory, so the memory is never copied; only an attention that
        is recurrent gets it row by row, because its state is one per row.
        """
        memory, rows = state.memory, query.shape[0]
        sentences = memory.is_token.shape[0]
        if self.attention.recurrent:
            if sentences != rows:
                owners = torch.arange(sentences, device=query.device).repeat_interleave(rows // sentences)
                memory = _selected(memory, owners)
            attended = self.attention(query[:, None], memory, state.attention)
        else:
            attended = self.attention(
                query.reshape(sentences, rows // sentences, -1), memory, state.attention
            )
        return attended.context.reshape(rows, -1), attended.weights.reshape(rows, -1), attended.state

    def upper_layers(
        self, outputs: Tensor, context: Tensor, state: DecoderState
    ) -> tuple[Tensor, tuple[State, ...]]:
        """Take one position through the layers above the first, each of which reads the layer below and the context.

        Args:
            outputs: (R, H), of the first layer.
            context: (R, M).
            state: as left by the last step.

        Returns:
            The last layer's outputs (R, H), and the new states of these layers.
        """
        states = []
        for below, (cell, cell_state) in enumerate(zip(self.layers[1:], state.cells[1:], strict=True)):
            above, new = cell.step(torch.cat([self.dropped(outputs, state, below), context], -1), cell_state)
            states.append(new)
            outputs = self.added(above, outputs)
        return outputs, tuple(states)

    def output(self, *parts: Tensor) -> Tensor:
        """Return the output (..., E), before dropout, of the parts that the wiring reads it from."""
        return tanh(self.readout(torch.cat(parts, -1)))

    def dropped(self, rows: Tensor, state: DecoderState, place: int) -> Tensor:
        """Return one position's rows (R, width) after dropout.

        Args:
            rows: outputs of a layer, or the output.
            state: of this step.
            place: the layer's number; -1 for the output.
        """
        if state.masks:
            return rows * state.masks[place].to(rows.dtype)
        dropped: Tensor = self.dropout(rows[:, None])[:, 0]
        return dropped

    def added(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """Return the outputs of an upper layer with its residual, if there is one."""
        return outputs + inputs if self.residual and outputs.shape == inputs.shape else outputs

    @staticmethod
    def reorder(state: DecoderState, rows: Tensor, sentences: Tensor | None = None) -> DecoderState:
        """Return the state of the rows (R',); `sentences` (S') names those that stay, if any leave."""

        def picked(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return tuple(tensor.index_select(0, rows) for tensor in tensors)

        memory = state.memory if sentences is None else _selected(state.memory, sentences)
        return DecoderState(
            memory=memory,
            cells=tuple(picked(layer) for layer in state.cells),
            attention=picked(state.attention),
            feed=picked(state.feed),
            masks=picked(state.masks),
        )


def _selected(memory: Memory, sentences: Tensor) -> Memory:
    return type(memory)(*(tensor.index_select(0, sentences) for tensor in memory))
