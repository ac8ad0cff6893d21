"""A trained network as two ONNX graphs: one reads the source, one takes a step of the decoder.

Shapes: B sentences, R rows (sentences x hypotheses), S source, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import SourceBatch, source_batch
from nmt_lstm.cells.cell import Cell
from nmt_lstm.inference.onnx.exporter import BATCH, SOURCE, contents, exported
from nmt_lstm.inference.onnx.scan import Unrolled, put_in
from nmt_lstm.model.decoder import DecoderState
from nmt_lstm.model.encoder import EncoderLayer
from nmt_lstm.model.seq2seq import Seq2Seq

__all__ = ["OnnxGraphs", "make_onnx_graphs"]


class OnnxGraphs(NamedTuple):
    """Two files' contents.

    The encoder takes ``pieces`` (B, S) and ``lengths`` (B,), int64, and gives ``memory.NAME``, what attention keeps,
    and ``state.N``, the decoder's first state. The decoder takes ``previous`` (R,), int64, the memory and the state, a
    row for each hypothesis, and gives ``log_probabilities`` (R, V), natural logarithms, ``attention`` (R, S) and
    ``next_state.N``.
    """

    encoder: bytes
    decoder: bytes


def make_onnx_graphs(model: Seq2Seq) -> OnnxGraphs:
    """Return a network's graphs, in float32.

    Args:
        model: in evaluation mode, on a processor; it is left as it is.

    Raises:
        PluginError: a cell or attention has what the exporter cannot trace.
        ImportError: ``onnxscript`` is not installed.
    """
    model = copy.deepcopy(model).eval()
    examples = [source_batch([[5] * length, [5] * (length - 2)]) for length in (7, 9)]
    with torch.no_grad():
        states = [model.start(model.encode(example)) for example in examples]
    layout = _Layout(states)
    unrolled_cells: list[Unrolled] = []
    for layer in cast(list[EncoderLayer], list(model.encoder.layers)):
        layer.forward_cell = _unrolled(layer.forward_cell, unrolled_cells)
        if layer.backward_cell is not None:
            layer.backward_cell = _unrolled(layer.backward_cell, unrolled_cells)
    source = examples[0]
    encoder = exported(
        "the encoder",
        _Encoder(model, layout),
        {"pieces": source.pieces, "lengths": source.lengths},
        [{0: BATCH, 1: SOURCE}, {0: BATCH}],
        [*layout.memory, *layout.state],
    )
    put_in(encoder, unrolled_cells)
    leaves = [tensor.clone() for tensor in layout.tensors(states[0])]
    decoder = exported(
        "the decoder",
        _DecoderStep(model, layout),
        {
            "previous": torch.tensor([5, 6]),
            **dict(zip([*layout.memory, *layout.state], leaves, strict=True)),
        },
        [{0: BATCH}, *layout.dimensions],
        ["log_probabilities", "attention", *(f"next_{name}" for name in layout.state)],
    )
    return OnnxGraphs(contents(encoder), contents(decoder))


class _Layout:
    """A decoder state's tensors in a row: their names, and which of their dimensions are not fixed."""

    def __init__(self, states: Sequence[DecoderState]) -> None:
        self.like = states[0]
        self.memory = [f"memory.{name}" for name in self.like.memory._fields]
        self.state = [f"state.{number}" for number in range(len(self.changing(self.like)))]
        self.dimensions = [
            {
                0: BATCH,
                **{place: SOURCE for place, sizes in _sizes(pair) if place and len(set(sizes)) > 1},
            }
            for pair in zip(*map(self.tensors, states), strict=True)
        ]

    def tensors(self, state: DecoderState) -> list[Tensor]:
        """Return all tensors of a state."""
        return [*state.memory, *self.changing(state)]

    def changing(self, state: DecoderState) -> list[Tensor]:
        """Return the tensors that a step changes."""
        return [*(part for cell in state.cells for part in cell), *state.attention, *state.feed]

    def state_of(self, tensors: Sequence[Tensor]) -> DecoderState:
        """Return the state that the tensors are of."""
        left = iter(tensors)

        def taken(like: Sequence[Tensor]) -> tuple[Tensor, ...]:
            return tuple(next(left) for _ in like)

        return DecoderState(
            memory=type(self.like.memory)(*taken(self.like.memory)),
            cells=tuple(taken(cell) for cell in self.like.cells),
            attention=taken(self.like.attention),
            feed=taken(self.like.feed),
            masks=(),
        )


def _sizes(tensors: Sequence[Tensor]) -> Iterator[tuple[int, tuple[int, ...]]]:
    yield from enumerate(zip(*(tensor.shape for tensor in tensors), strict=True))


class _Encoder(nn.Module):
    def __init__(self, model: Seq2Seq, layout: _Layout) -> None:
        super().__init__()
        self.model = model
        self.layout = layout

    def forward(self, pieces: Tensor, *others: Tensor) -> list[Tensor]:
        (lengths,) = others
        is_token = torch.arange(pieces.shape[1])[None] < lengths[:, None]
        source = SourceBatch(pieces, is_token, lengths)
        return self.layout.tensors(self.model.start(self.model.encode(source)))


class _DecoderStep(nn.Module):
    def __init__(self, model: Seq2Seq, layout: _Layout) -> None:
        super().__init__()
        self.model = model
        self.layout = layout

    def forward(self, previous: Tensor, *leaves: Tensor) -> list[Tensor]:
        step = self.model.step(previous, self.layout.state_of(leaves))
        return [step.logits.log_softmax(-1), step.attention, *self.layout.changing(step.state)]


def _unrolled(cell: Cell, unrolled_cells: list[Unrolled]) -> Cell:
    unrolled_cells.append(Unrolled(cell, len(unrolled_cells)))
    return cast(Cell, unrolled_cells[-1])
