"""Recording the arguments that a model's cells are called with while it reads a source and a target."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.lab.inspection.cell_trace import Call
from nmt_lstm.model.conditional import ConditionalDecoder
from nmt_lstm.model.encoder import EncoderLayer
from nmt_lstm.model.seq2seq import Seq2Seq

__all__ = ["Place", "captured", "places"]


@dataclass(frozen=True)
class Place:
    """Where in a network a cell is."""

    side: str
    """"encoder" or "decoder"."""
    layer: int
    """1 is the lowest."""
    direction: str
    """"forward" or "backward"; for the conditional wiring's lowest layer "first" or "second", its two transitions."""
    cell: Cell = field(repr=False)


def places(model: Seq2Seq) -> list[Place]:
    """Return the cells of a model from the source to the output."""
    found = []
    layers: Sequence[Any] = list(model.encoder.layers)
    for number, layer in enumerate(layers, start=1):
        assert isinstance(layer, EncoderLayer)
        found.append(Place("encoder", number, "forward", layer.forward_cell))
        if layer.backward_cell is not None:
            found.append(Place("encoder", number, "backward", layer.backward_cell))
    second = model.decoder.second if isinstance(model.decoder, ConditionalDecoder) else None
    for number, cell in enumerate(model.decoder.layers, start=1):
        lowest = second is not None and number == 1
        found.append(Place("decoder", number, "first" if lowest else "forward", cell))
        if second is not None and lowest:
            found.append(Place("decoder", number, "second", second))
    return found


@contextlib.contextmanager
def captured(cells: Sequence[Cell]) -> Iterator[list[list[Call]]]:
    """Note the calls of each cell inside the with statement, in the order of the cells.

    A sequence is one call, a step is another; a cell whose sequence is made of its own steps counts once.
    """
    calls: list[list[Call]] = [[] for _ in cells]
    with contextlib.ExitStack() as stack:
        for cell, own in zip(cells, calls, strict=True):
            stack.enter_context(_noting(cell, own))
        yield calls


@contextlib.contextmanager
def _noting(cell: Cell, calls: list[Call]) -> Iterator[None]:
    forward, step = cell.forward, cell.step
    inside = False

    def noted(inputs: Tensor, state: State, *, single: bool) -> tuple[Tensor, State]:
        nonlocal inside
        take = step if single else forward
        if inside:
            return take(inputs, state)
        sequence = inputs[:, None] if single else inputs
        calls.append(Call(sequence.detach(), tuple(part.detach() for part in state)))
        inside = True
        try:
            return take(inputs, state)
        finally:
            inside = False

    # Attributes of the instance hide the methods of its class.
    cell.__dict__["forward"] = lambda inputs, state: noted(inputs, state, single=False)
    cell.__dict__["step"] = lambda inputs, state: noted(inputs, state, single=True)
    try:
        yield
    finally:
        del cell.__dict__["forward"], cell.__dict__["step"]
