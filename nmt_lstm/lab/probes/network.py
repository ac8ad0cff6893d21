"""The network of a probe: one cell, and one linear layer that reads its outputs."""

from __future__ import annotations

from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["ProbeNetwork"]


class ProbeNetwork(nn.Module):
    """One layer of a cell and a linear readout; all memory is the cell's.

    Args:
        cell: the cell that is probed.
        output_size: width of the answers.
    """

    def __init__(self, cell: Cell, output_size: int) -> None:
        super().__init__()
        self.cell = cell
        self.readout = Linear(cell.output_size, output_size)

    def forward(self, inputs: Tensor, answers: int) -> Tensor:
        """Return the answers of the last positions.

        Args:
            inputs: (B, P, input_size).
            answers: K, how many of the last positions answer.

        Returns:
            (B, K, output_size).
        """
        outputs, _ = self.cell(inputs, self.cell.initial_state(len(inputs)))
        read: Tensor = self.readout(outputs[:, -answers:])
        return read
