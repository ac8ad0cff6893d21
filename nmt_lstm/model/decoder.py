"""The base of all decoder wirings: state, step, attention over rows, and reordering for search.

Shapes: B batch (sentences), R rows (sentences x hypotheses, sentence by sentence), T target, S source, I width of
embeddings, H hidden width, M width of contexts, E output width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """All that a decoder needs for its next step; a value, never changed in place."""

    memory: Memory
    """The source as attention prepared it, one row per sentence."""
    cells: tuple[State, ...]
    """State of each layer's cell, R rows."""
    attention: tuple[Tensor, ...]
    """The attention's own state, R rows; empty for most."""
    feed: tuple[Tensor, ...]
    """Last step's output (R, E) for the next step to read; empty unless the wiring reads it."""
    masks: tuple[Tensor, ...]
    """Masks of variational dropout, R rows: one for each layer's outputs, then one for the output; empty at inference."""


class Decoded(NamedTuple):
    """The decoder's result for a whole target."""

    outputs: Tensor
    """(B, T, E): inputs of the output layer."""
    attention: Tensor
    """(B, T, S): attention weights."""


class Decoder(nn.Module):
    """Base of the wirings, which `nmt_lstm.config.wirings` lists.

    Args:
        cells: one per layer, lowest first, with the input widths that the wiring declares.
        make_cell: makes a further cell of a given input width, for wirings that need one.
        attention: of the source states.
        bridge: computes the initial states.
        output_size: width of the output, E.
        bounded_output: apply tanh to the output.
        dropout: between layers and on the output.
        residual: add each layer's input to its output, from the second layer on, where widths agree.
    """

    first_cell_alone_reads_embeddings: ClassVar[bool] = False
    """Whether embeddings go unchanged into the first cell, and nowhere else: inference may then look up its product."""

    def __init__(
        self,
        *,
        cells: Sequence[Cell],
        make_cell: Callable[[int], Cell],
        attention: Attention,
        bridge: Bridge,
        output_size: int,
        dropout: Dropout,
        bounded_output: bool = True,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)
        self.attention = attention
        self.bridge = bridge
        self.output_size = output_size
        # Drawn before the readout but registered after it: seeds and optimizers' states depend on these orders.
        further_cells = self.further_cells(make_cell)
        # Inference replaces it with a different module of the same widths.
        self.readout: nn.Module = Linear(self.readout_input_size, output_size)
        self.dropout = dropout
        self.bounded_output = bounded_output
        self.residual = residual
        for name, cell in further_cells.items():
            self.add_module(name, cell)

    @classmethod
    def first_input_size(cls, embedding_size: int, output_size: int) -> int:  # noqa: ARG003 - some wirings feed outputs
        """Return the input width of the first cell."""
        return embedding_size

    @classmethod
    def upper_input_size(cls, hidden_size: int, context_size: int) -> int:
        """Return the input width of the cells above the first."""
        return hidden_size + context_size

    def further_cells(self, make_cell: Callable[[int], Cell]) -> dict[str, Cell]:
        """Return the cells that the wiring has besides one per layer, by attribute name."""
        return {}

    @property
    def readout_input_size(self) -> int:
        """Width of the tensors that the wiring passes to `output`: top layer and context, unless it overrides this."""
        return self.layers[-1].output_size + self.attention.context_size

    @property
    def layers(self) -> list[Cell]:
        """The cells, lowest first."""
        return cast(list[Cell], list(self.cells))

    @property
    def labelled_cells(self) -> list[dict[str, Cell]]:
        """The cells of each layer, lowest first, by their labels in texts and files; a wiring with further cells adds them."""
        return [{"forward": cell} for cell in self.layers]

    @property
    def readout_alone_reads_contexts(self) -> bool:
        """Whether contexts go only into the readout, concatenated after the top layer's outputs."""
        return False

    def start(self, encoded: Encoded) -> DecoderState:
        """Return the state before the first piece, one row per sentence."""
        memory = self.attention.prepare(encoded.states, encoded.is_token)
        return DecoderState(
            memory=memory,
            cells=self.bridge.states(self.layers, encoded),
            attention=self.attention.initial_state(memory),
            feed=self.initial_feed(encoded),
            masks=self.dropout.masks(
                encoded.summary, [*(cell.output_size for cell in self.layers), self.output_size]
            ),
        )

    def initial_feed(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return the `DecoderState.feed` of the first step."""
        return ()

    def forward(self, encoded: Encoded, embedded: Tensor) -> Decoded:
        """Read whole targets (B, T, I), one position after the other."""
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
            state: the one that the last step returned.

        Returns:
            The output (R, E), the attention (R, S) and the new state.
        """
        raise TypeError(f"{type(self).__name__} does not define step.")

    def attend(self, query: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Return context (R, M), weights (R, S) and attention state for one query (R, H) in each row.

        The rows of a sentence are passed as query steps on its memory, so the memory need not be copied for each row. A
        recurrent attention needs the copies, because each of its rows has a state of its own.
        """
        memory, rows = state.memory, query.shape[0]
        sentences = memory.is_token.shape[0]
        if self.attention.recurrent:
            if sentences != rows:
                sentence_of_row = torch.arange(sentences, device=query.device)
                memory = _selected(memory, sentence_of_row.repeat_interleave(rows // sentences))
            attended = self.attention(query[:, None], memory, state.attention)
        else:
            attended = self.attention(
                query.reshape(sentences, rows // sentences, -1), memory, state.attention
            )
        return attended.context.reshape(rows, -1), attended.weights.reshape(rows, -1), attended.state

    def upper_layers(
        self, outputs: Tensor, context: Tensor, state: DecoderState
    ) -> tuple[Tensor, tuple[State, ...]]:
        """Process one position through the layers above the first, which read the layer below and the context.

        Args:
            outputs: (R, H), outputs of the first layer.
            context: (R, M).
            state: the one that the last step returned.

        Returns:
            The top layer's outputs (R, H), and the new states of these layers.
        """
        states = []
        for below, (cell, cell_state) in enumerate(zip(self.layers[1:], state.cells[1:], strict=True)):
            inputs = torch.cat([self.dropped(outputs, state, below), context], -1)
            above, new_state = cell.step(inputs, cell_state)
            states.append(new_state)
            outputs = self.with_residual(above, outputs)
        return outputs, tuple(states)

    def stacked_step(self, inputs: Tensor, state: DecoderState) -> tuple[Tensor, tuple[State, ...]]:
        """Process one position through layers that read nothing but the layer below.

        Args:
            inputs: (R, any width), of the first layer.
            state: the one that the last step returned.

        Returns:
            The top layer's outputs (R, H), and the new states of all layers.
        """
        outputs, first_state = self.layers[0].step(inputs, state.cells[0])
        states = [first_state]
        for below, (cell, cell_state) in enumerate(zip(self.layers[1:], state.cells[1:], strict=True)):
            above, new_state = cell.step(self.dropped(outputs, state, below), cell_state)
            states.append(new_state)
            outputs = self.with_residual(above, outputs)
        return outputs, tuple(states)

    def output(self, *inputs: Tensor) -> Tensor:
        """Return the output (..., E) before dropout, computed from the concatenation of inputs (..., any width)."""
        output: Tensor = self.readout(torch.cat(inputs, -1))
        return tanh(output) if self.bounded_output else output

    def dropped(self, rows: Tensor, state: DecoderState, layer: int) -> Tensor:
        """Return one position's rows (R, width) after dropout.

        Args:
            rows: (R, width): outputs of a layer, or the output.
            state: of this step.
            layer: number of the layer from 0; -1 for the output.
        """
        if state.masks:
            return rows * state.masks[layer].to(rows.dtype)
        dropped: Tensor = self.dropout(rows[:, None])[:, 0]
        return dropped

    def with_residual(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """Return an upper layer's outputs (..., H), plus its inputs if there are residual connections."""
        return outputs + inputs if self.residual and outputs.shape == inputs.shape else outputs

    @staticmethod
    def reorder(state: DecoderState, rows: Tensor, sentences: Tensor | None = None) -> DecoderState:
        """Return the state of `rows` (R',); `sentences` (B',) are those that stay, or None if all do."""

        def of_rows(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return tuple(tensor.index_select(0, rows) for tensor in tensors)

        memory = state.memory if sentences is None else _selected(state.memory, sentences)
        return DecoderState(
            memory=memory,
            cells=tuple(of_rows(layer) for layer in state.cells),
            attention=of_rows(state.attention),
            feed=of_rows(state.feed),
            masks=of_rows(state.masks),
        )


def _selected(memory: Memory, sentences: Tensor) -> Memory:
    return type(memory)(*(tensor.index_select(0, sentences) for tensor in memory))
