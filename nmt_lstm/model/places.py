"""The places of a network at which cells are, from the source to the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nmt_lstm.cells.cell import Cell
from nmt_lstm.model.conditional import ConditionalDecoder
from nmt_lstm.model.encoder import EncoderLayer
from nmt_lstm.model.seq2seq import Seq2Seq

__all__ = ["Place", "places"]


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

    @property
    def name(self) -> str:
        """What a person calls it: "encoder, layer 1, backward"."""
        return f"{self.side}, layer {self.layer}, {self.direction}"

    @property
    def key(self) -> str:
        """What a command calls it: "encoder.1.backward"."""
        return f"{self.side}.{self.layer}.{self.direction}"


def places(model: Seq2Seq) -> list[Place]:
    """Return the places of a model's cells from the source to the output."""
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
