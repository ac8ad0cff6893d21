"""A trained network as two ONNX graphs: the encoder, and a step of the decoder.

Shapes: B sentences, R rows (sentences x hypotheses), S source, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import SourceBatch, source_batch
from nmt_lstm.cells.cell import Cell
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.onnx.exporter import BATCH, SOURCE, export, serialize
from nmt_lstm.inference.onnx.scan import UnrolledCell, insert_scans
from nmt_lstm.model.decoder import DecoderState
from nmt_lstm.model.seq2seq import Seq2Seq

__all__ = ["OnnxGraphs", "make_onnx_graphs", "unroll_cells"]


class OnnxGraphs(NamedTuple):
    """The contents of two files.

    The encoder takes ``pieces`` (B, S) and ``lengths`` (B,), int64, and returns ``memory.NAME``, the memory of attention,
    and ``state.N``, the decoder's initial state. The decoder takes ``previous`` (R,), int64, and the memory and the state
    with a row for each hypothesis; it returns ``log_probabilities`` (R, V), natural logarithms, ``attention`` (R, S) and
    ``next_state.N``.
    """

    encoder: bytes
    decoder: bytes


def make_onnx_graphs(model: Seq2Seq) -> OnnxGraphs:
    """Return a network's graphs, in float32.

    Args:
        model: in evaluation mode, on a processor; it is not changed.

    Raises:
        ConfigurationError: the decoder starts with copies of the encoder's last states.
        PluginError: the exporter cannot trace an encoder, cell or attention.
        ImportError: ``onnxscript`` is not installed.
    """
    if model.encoder.last_state_sizes:
        # A Scan over padded sentences has only the states after the padding.
        raise ConfigurationError(
            'a model with model.decoder.bridge = "copy" cannot be exported to ONNX; export it without --format onnx.',
            key="model.decoder.bridge",
            value="copy",
        )
    model = copy.deepcopy(model).eval()
    examples = [source_batch([[5] * length, [5] * (length - 2)]) for length in (7, 9)]
    with torch.no_grad():
        states = [model.start(model.encode(example)) for example in examples]
    layout = _Layout(states)
    unrolled_cells = unroll_cells(model.encoder.layers)
    source = examples[0]
    encoder = export(
        "the encoder",
        _Encoder(model, layout),
        {"pieces": source.pieces, "lengths": source.lengths},
        [{0: BATCH, 1: SOURCE}, {0: BATCH}],
        [*layout.memory, *layout.state],
    )
    insert_scans(encoder, unrolled_cells)
    leaves = [tensor.clone() for tensor in layout.tensors(states[0])]
    decoder = export(
        "the decoder",
        _DecoderStep(model, layout),
        {
            "previous": torch.tensor([5, 6]),
            **dict(zip([*layout.memory, *layout.state], leaves, strict=True)),
        },
        [{0: BATCH}, *layout.dimensions],
        ["log_probabilities", "attention", *(f"next_{name}" for name in layout.state)],
    )
    return OnnxGraphs(serialize(encoder), serialize(decoder))


class _Layout:
    """A decoder state as a flat list of tensors: their names, and which of their dimensions vary."""

    def __init__(self, states: Sequence[DecoderState]) -> None:
        self.example = states[0]
        self.memory = [f"memory.{name}" for name in self.example.memory._fields]
        self.state = [f"state.{number}" for number in range(len(self.changing(self.example)))]
        self.dimensions = [
            {
                0: BATCH,
                **{index: SOURCE for index, sizes in _sizes(pair) if index and len(set(sizes)) > 1},
            }
            for pair in zip(*map(self.tensors, states), strict=True)
        ]

    def tensors(self, state: DecoderState) -> list[Tensor]:
        """Return all tensors of a state: its memory, then those that a step changes."""
        return [*state.memory, *self.changing(state)]

    def changing(self, state: DecoderState) -> list[Tensor]:
        """Return the tensors that a step changes."""
        return [*(tensor for cell in state.cells for tensor in cell), *state.attention, *state.feed]

    def restore(self, tensors: Sequence[Tensor]) -> DecoderState:
        """Return the state from the list of its tensors."""
        remaining = iter(tensors)

        def take(example: Sequence[Tensor]) -> tuple[Tensor, ...]:
            return tuple(next(remaining) for _ in example)

        return DecoderState(
            memory=type(self.example.memory)(*take(self.example.memory)),
            cells=tuple(take(cell) for cell in self.example.cells),
            attention=take(self.example.attention),
            feed=take(self.example.feed),
            masks=(),
        )


def _sizes(tensors: Sequence[Tensor]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the index of each dimension, and its sizes in all tensors."""
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
        step = self.model.step(previous, self.layout.restore(leaves))
        return [step.logits.log_softmax(-1), step.attention, *self.layout.changing(step.state)]


def unroll_cells(module: nn.Module) -> list[UnrolledCell]:
    """Replace the cells inside a module by placeholders, which `insert_scans` replaces in its graph, and return these."""
    unrolled_cells: list[UnrolledCell] = []

    def replace_in(parent: nn.Module) -> None:
        for name, child in parent.named_children():
            if isinstance(child, Cell):
                unrolled_cells.append(UnrolledCell(child, len(unrolled_cells)))
                setattr(parent, name, unrolled_cells[-1])
            else:
                replace_in(child)

    replace_in(module)
    return unrolled_cells
