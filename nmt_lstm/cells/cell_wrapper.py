"""A cell around an inner cell: the base of cells that change the inner cell's inputs, outputs or state."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from nmt_lstm.cells.cell import Cell, State

__all__ = ["CellWrapper"]


class CellWrapper(Cell):
    """A cell that behaves like its inner cell, except for what a subclass overrides.

    The wrapper's parameters are the inner cell's, named ``cell.weight_ih``, ``cell.weight_hh`` etc. A wrapper with more
    state than the inner cell overrides `state_sizes` and `bridged_state`; one whose output is not the first state sets
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
        """Names and widths of the tensors that the bridge projects the encoder's summary to."""
        return self.cell.bridge_sizes

    def bridged_state(self, projected: State) -> State:
        """Return the initial state, made from tensors as `bridge_sizes`, each (B, width)."""
        return self.cell.bridged_state(projected)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position: (B, input_size) to (B, output_size)."""
        return self.cell.step(inputs, state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence: (B, T, input_size) to (B, T, output_size)."""
        result: tuple[Tensor, State] = self.cell(inputs, state)
        return result
