"""A cell around another cell: the base of those that change what a cell gets, gives or keeps."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from nmt_lstm.cells.cell import Cell, State

__all__ = ["CellWrapper"]


class CellWrapper(Cell):
    """A cell that is the inner cell in every respect; a subclass overrides the respects in which it differs.

    The inner cell's parameters are the wrapper's, named ``cell.weight_ih`` and so on. A wrapper that keeps more state than
    the inner cell overrides `state_sizes` and `bridged_state`; one whose output is not the first state sets
    `output_is_state` to False.

    Args:
        cell: the inner cell.
    """

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell.input_size, cell.hidden_size)
        self.cell = cell
        self.output_is_state = cell.output_is_state

    @property
    def output_size(self) -> int:
        """Width of the outputs."""
        return self.cell.output_size

    @property
    def state_sizes(self) -> Mapping[str, int]:
        """Names and widths of the state's tensors, in order."""
        return self.cell.state_sizes

    @property
    def bridge_sizes(self) -> Mapping[str, int]:
        """Names and widths of what the bridge makes of the encoder's summary."""
        return self.cell.bridge_sizes

    def bridged_state(self, parts: State) -> State:
        """Return the first state of what the bridge made: as `bridge_sizes`, each (B, width)."""
        return self.cell.bridged_state(parts)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position: (B, input_size) to (B, output_size)."""
        return self.cell.step(inputs, state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence: (B, T, input_size) to (B, T, output_size)."""
        outputs, last = self.cell(inputs, state)
        return outputs, last
