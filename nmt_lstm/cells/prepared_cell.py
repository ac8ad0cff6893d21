"""A gated cell prepared for inference: its products packed or quantised, or the first one looked up in a table.

Shapes: B rows, T positions, H hidden width.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nmt_lstm.cells.cell import State
from nmt_lstm.cells.cell_wrapper import CellWrapper
from nmt_lstm.cells.gates import OWN_PARAMETERS
from nmt_lstm.numerics.inference_linear import InferenceLinear, InferencePrecision, inference_linear
from nmt_lstm.numerics.piece_table import PieceTable, piece_table
from nmt_lstm.recurrence.recurrence import Tensors, cut_gates

if TYPE_CHECKING:
    from nmt_lstm.cells.gated_cell import GatedCell

__all__ = ["PieceReadingCell", "PreparedCell"]


class PreparedCell(CellWrapper):
    """Two products and the update of a `GatedCell`, for inference; inputs are vectors, as before.

    Args:
        cell: its update is used, and not its products, which are removed from a copy of it; the cell itself stays whole.
        from_input: makes the gates' pre-activations of the inputs.
        precision: of the product with the first state.
    """

    cell: GatedCell

    def __init__(
        self, cell: GatedCell, *, from_input: InferenceLinear | PieceTable, precision: InferencePrecision
    ) -> None:
        super().__init__(_without_products(cell))
        self.from_input = from_input
        self.from_history = (
            inference_linear(cell.weight_hh, cell.bias_hh, precision) if cell.recurrent else None
        )
        self._recurrence = self.cell.recurrence()

    @classmethod
    def of(cls, cell: GatedCell, precision: InferencePrecision) -> PreparedCell:
        """Return a cell prepared in one precision."""
        return cls(
            cell, from_input=inference_linear(cell.weight_ih, cell.bias_ih, precision), precision=precision
        )

    def initial_state(self, batch_size: int) -> State:
        """Return the state before a first position, where no bridge makes it: zeros, float32 on the processor."""
        # There may be no parameter left whose type and device they could have.
        return self.bridged_state(
            tuple(
                torch.zeros(batch_size, width, dtype=torch.float32, device="cpu")
                for width in self.bridge_sizes.values()
            )
        )

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position: (B, input_size) to (B, H)."""
        return self._advance(self._gates(self.from_input(inputs), inputs), state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence: (B, T, input_size) to (B, T, H)."""
        inputs = inputs.transpose(0, 1).contiguous()
        products = self.from_input(inputs)
        outputs = []
        for position in range(len(inputs)):
            output, state = self._advance(self._gates(products[position], inputs[position]), state)
            outputs.append(output)
        return torch.stack(outputs, 1), state

    def _gates(self, products: Tensor, inputs: Tensor) -> Tensors:
        """Return the gates' pre-activations from the inputs of one position, each (B, H)."""
        parts = [products, inputs] if self.cell.passes_input else [products]
        return cut_gates(parts, self.hidden_size)

    def _advance(self, x: Tensors, state: State) -> tuple[Tensor, State]:
        h: Tensors = ()
        if self.from_history is not None:
            h = cut_gates([self.from_history(state[0])], self.hidden_size)
        return self._recurrence.rows(x, h, state, ())


class PieceReadingCell(PreparedCell):
    """A prepared cell whose inputs are pieces, (B,) or (B, T): a table has what their embeddings would come to.

    Args:
        cell: as of `PreparedCell`; none that passes its inputs on, since there are no vectors to pass.
        from_input: the table.
        precision: of the product with the first state.
    """

    @classmethod
    def reading(cls, cell: GatedCell, embeddings: Tensor, precision: InferencePrecision) -> PieceReadingCell:
        """Return a cell that reads pieces in place of their embeddings (V, input_size)."""
        table = piece_table(embeddings.detach(), cell.weight_ih.detach(), cell.bias_ih.detach(), precision)
        return cls(cell, from_input=table, precision=precision)

    def _gates(self, products: Tensor, inputs: Tensor) -> Tensors:
        return cut_gates([products], self.hidden_size)


def _without_products(cell: GatedCell) -> GatedCell:
    """Return a copy of a cell that shares its tensors, but has none of those of the products."""
    shared = {id(tensor): tensor for tensor in (*cell.parameters(), *cell.buffers())}
    bare = copy.deepcopy(cell, shared)
    for name in OWN_PARAMETERS:
        if name in bare._parameters:  # noqa: SLF001 - a highway or a cell without a recurrent product has fewer
            delattr(bare, name)
    return bare
