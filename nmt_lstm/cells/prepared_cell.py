"""A gated cell prepared for inference: its products packed or quantised, or the input's product looked up in a table.

Shapes: B rows, T positions, H hidden width.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.cells.cell_wrapper import CellWrapper
from nmt_lstm.cells.gates import OWN_PARAMETERS
from nmt_lstm.numerics.inference_linear import InferenceLinear
from nmt_lstm.numerics.piece_table import PieceTable
from nmt_lstm.recurrence.recurrence import Recurrence, Tensors, split_gates

__all__ = ["PreparedCell", "without_products"]

CellType = TypeVar("CellType", bound=Cell)


class PreparedCell(CellWrapper):
    """The two products and the update of a gated cell, for inference.

    Args:
        cell: what is left of the cell: its sizes, its update and the parameters that the update uses.
        from_input: computes the gates' pre-activations from inputs (B, input_size), or looks them up for pieces (B,).
        from_history: computes the pre-activations from the first state (B, H); None without a recurrent product.
        recurrence: the update.
        passes_input: whether the inputs themselves are the last gate.
    """

    def __init__(
        self,
        cell: Cell,
        *,
        from_input: InferenceLinear | PieceTable,
        from_history: InferenceLinear | None,
        recurrence: Recurrence,
        passes_input: bool,
    ) -> None:
        super().__init__(cell)
        # Exported models contain these two names.
        self.from_input = from_input
        self.from_history = from_history
        self._recurrence = recurrence
        self._passes_input = passes_input

    def initial_state(self, batch_size: int) -> State:
        """Return the initial state where there is no bridge: `bridged_state` of zeros, float32 on the CPU."""
        # There may be no parameter left whose dtype and device they could have.
        widths = self.bridge_sizes.values()
        zeros = (torch.zeros(batch_size, width, dtype=torch.float32, device="cpu") for width in widths)
        return self.bridged_state(tuple(zeros))

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position: (B, input_size), or pieces (B,), to (B, H)."""
        return self._advance(self.from_input(inputs), inputs, state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence: (B, T, input_size), or pieces (B, T), to (B, T, H)."""
        inputs = inputs.transpose(0, 1).contiguous()
        outputs = []
        for products, position in zip(self.from_input(inputs), inputs, strict=True):
            output, state = self._advance(products, position, state)
            outputs.append(output)
        return torch.stack(outputs, 1), state

    def _advance(self, products: Tensor, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        x = split_gates([products, inputs] if self._passes_input else [products], self.hidden_size)
        h: Tensors = ()
        if self.from_history is not None:
            h = split_gates([self.from_history(state[0])], self.hidden_size)
        return self._recurrence.step(x, h, state, ())


def without_products(cell: CellType) -> CellType:
    """Return a copy of a gated cell that shares its tensors, but lacks the parameters of its two products."""
    shared = {id(tensor): tensor for tensor in (*cell.parameters(), *cell.buffers())}
    bare = copy.deepcopy(cell, shared)
    for name in OWN_PARAMETERS:
        if name in bare._parameters:  # noqa: SLF001 - a cell without a recurrent product has fewer
            delattr(bare, name)
    return bare
