"""The cells of a network and their locations in it, from the source to the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nmt_lstm.cells.cell import Cell
from nmt_lstm.model.conditional import ConditionalDecoder
from nmt_lstm.model.encoder import EncoderLayer
from nmt_lstm.model.seq2seq import Seq2Seq

__all__ = ["CellLocation", "cell_locations"]


@dataclass(frozen=True)
class CellLocation:
    """The location of a cell in a network."""

    side: str
    """"encoder" or "decoder"."""
    layer: int
    """1 is the lowest."""
    direction: str
    """"forward" or "backward"; for the conditional wiring's lowest layer "first" or "second", its two transitions."""
    cell: Cell = field(repr=False)

    @property
    def name(self) -> str:
        """The name in texts: "encoder, layer 1, backward"."""
        return f"{self.side}, layer {self.layer}, {self.direction}"

    @property
    def key(self) -> str:
        """The name in commands and files: "encoder.1.backward"."""
        return f"{self.side}.{self.layer}.{self.direction}"


def cell_locations(model: Seq2Seq) -> list[CellLocation]:
    """Return the locations of a model's cells, from the source to the output."""
    locations = []
    layers: Sequence[Any] = list(model.encoder.layers)
    for number, layer in enumerate(layers, start=1):
        assert isinstance(layer, EncoderLayer)
        locations.append(CellLocation("encoder", number, "forward", layer.forward_cell))
        if layer.backward_cell is not None:
            locations.append(CellLocation("encoder", number, "backward", layer.backward_cell))
    second = model.decoder.second if isinstance(model.decoder, ConditionalDecoder) else None
    for number, cell in enumerate(model.decoder.layers, start=1):
        lowest = second is not None and number == 1
        locations.append(CellLocation("decoder", number, "first" if lowest else "forward", cell))
        if second is not None and lowest:
            locations.append(CellLocation("decoder", number, "second", second))
    return locations
