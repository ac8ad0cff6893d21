"""The cells of a network and their locations in it, from the source to the output."""

from __future__ import annotations

from dataclasses import dataclass, field

from nmt_lstm.cells.cell import Cell
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
    """The cell's label in its layer: "forward" or "backward"; in the conditional wiring's lowest layer "first" or "second"."""
    cell: Cell = field(repr=False)

    @property
    def name(self) -> str:
        """The name in texts: "encoder, layer 1, backward"."""
        return f"{self.side}, layer {self.layer}, {self.direction}"

    @property
    def key(self) -> str:
        """The name in commands and files: "encoder.1.backward"."""
        return f"{self.side}.{self.layer}.{self.direction}"

    def belongs_to(self, name: str) -> bool:
        """Whether a name is the cell's key, or the beginning of it that names its layer or side, such as "encoder.1"."""
        return f"{self.key}.".startswith(f"{name}.")


def cell_locations(model: Seq2Seq) -> list[CellLocation]:
    """Return the locations of a model's cells, from the source to the output."""
    layers_of_sides = {"encoder": model.encoder.labelled_cells, "decoder": model.decoder.labelled_cells}
    return [
        CellLocation(side, number, label, cell)
        for side, layers in layers_of_sides.items()
        for number, cells in enumerate(layers, start=1)
        for label, cell in cells.items()
    ]
