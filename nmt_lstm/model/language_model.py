"""A language model: the decoder stack alone, which predicts each piece of a text from the pieces before it.

It is `Searchable` like an encoder-decoder, with a source of which only the number of sentences matters. So search,
sampling and the rules of search work with it, and so does a translator that asks both.

Shapes: B batch (sentences), R rows (sentences x hypotheses), S source, T target, I width of embeddings, E output width, V
vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import Batch, SourceBatch
from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.model.dropout import Dropout
from nmt_lstm.model.embedding import PieceEmbedding
from nmt_lstm.model.loss import Loss, batch_loss
from nmt_lstm.model.step import Step
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.pointwise import tanh
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["LanguageModel", "LanguageModelState", "LanguageStack"]


class LanguageModelState(NamedTuple):
    """All that a language model needs for its next step; a value, never changed in place."""

    cells: tuple[State, ...]
    """State of each layer's cell, R rows."""
    attention: Tensor
    """(R, S): zeros, since there is nothing to attend to; search expects weights."""


class LanguageStack(nn.Module):
    """The recurrent layers, and the readout that turns the top layer's outputs into inputs of the output layer.

    Args:
        cells: one per layer, lowest first.
        output_size: width of the output, E.
        dropout: between layers and on the output.
        residual: add each layer's input to its output, from the second layer on.
    """

    def __init__(
        self, *, cells: Sequence[Cell], output_size: int, dropout: Dropout, residual: bool = False
    ) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)
        # Inference replaces it with a different module of the same widths.
        self.readout: nn.Module = Linear(cells[-1].output_size, output_size)
        self.dropout = dropout
        self.residual = residual

    @property
    def layers(self) -> list[Cell]:
        """The cells, lowest first."""
        return cast(list[Cell], list(self.cells))

    def start(self, source_is_token: Tensor) -> LanguageModelState:
        """Return the state before the first piece, a row for each sentence of (B, S)."""
        rows = source_is_token.shape[0]
        return LanguageModelState(
            tuple(cell.initial_state(rows) for cell in self.layers),
            torch.zeros(source_is_token.shape, device=source_is_token.device),
        )

    def forward(self, embedded: Tensor) -> Tensor:
        """Read whole texts (B, T, I), and return the outputs (B, T, E)."""
        outputs = embedded
        for number, cell in enumerate(self.layers):
            inputs = self.dropout(outputs) if number else outputs
            above, _ = cell(inputs, cell.initial_state(embedded.shape[0]))
            outputs = self._with_residual(above, outputs, number)
        output: Tensor = self.dropout(tanh(self.readout(self.dropout(outputs))))
        return output

    def step(self, embedded: Tensor, state: LanguageModelState) -> tuple[Tensor, LanguageModelState]:
        """Read one piece (R, I) in each row, and return the output (R, E); without dropout, since only search does this."""
        outputs, states = embedded, []
        for number, (cell, cell_state) in enumerate(zip(self.layers, state.cells, strict=True)):
            above, new_state = cell.step(outputs, cell_state)
            states.append(new_state)
            outputs = self._with_residual(above, outputs, number)
        return tanh(self.readout(outputs)), state._replace(cells=tuple(states))

    @staticmethod
    def reorder(state: LanguageModelState, rows: Tensor) -> LanguageModelState:
        """Return the state of `rows` (R',)."""
        cells = tuple(tuple(tensor.index_select(0, rows) for tensor in layer) for layer in state.cells)
        return LanguageModelState(cells, state.attention.index_select(0, rows))

    def _with_residual(self, outputs: Tensor, inputs: Tensor, number: int) -> Tensor:
        return outputs + inputs if self.residual and number and outputs.shape == inputs.shape else outputs


class LanguageModel(Trainable):
    """A language model over pieces.

    Args:
        target_embedding: of the pieces.
        stack: the recurrent layers.
        output_weight: (V, E); pass the embedding's own weight to tie the two (Press and Wolf 2017).
    """

    def __init__(
        self, *, target_embedding: PieceEmbedding, stack: LanguageStack, output_weight: nn.Parameter
    ) -> None:
        super().__init__()
        # The names of the weights are those of an encoder-decoder.
        self.target_embedding = target_embedding
        self.stack = stack
        self.output_weight = output_weight
        self.output_bias = nn.Parameter(torch.zeros(output_weight.shape[0]))

    def encode(self, source: SourceBatch) -> Tensor:
        """Return where the source (B, S) has pieces: the model reads no source, but has as many rows."""
        return source.is_token

    def start(self, encoded: Tensor) -> LanguageModelState:
        """Return the state before the first piece, one row per sentence."""
        return self.stack.start(encoded)

    def step(self, previous: Tensor, state: LanguageModelState) -> Step[LanguageModelState]:
        """Read the previous pieces (R,) and score the next ones."""
        output, state = self.stack.step(self.target_embedding(previous[:, None])[:, 0], state)
        return Step(linear(output, self.output_weight, self.output_bias), state.attention, state)

    def reorder(
        self, state: LanguageModelState, rows: Tensor, sentences: Tensor | None = None
    ) -> LanguageModelState:
        """Return the state of `rows` (R',); which `sentences` these belong to does not matter."""
        return self.stack.reorder(state, rows)

    def forward(self, batch: Batch) -> Tensor:
        """Return the outputs (B, T, E) for the batch's targets."""
        outputs: Tensor = self.stack(self.target_embedding(batch.target_inputs))
        return outputs

    def loss(self, batch: Batch, label_smoothing: float = 0.0) -> Loss:
        """Return the loss summed over the batch's real labels."""
        return batch_loss(self(batch), self.output_weight, self.output_bias, batch, label_smoothing)
