"""A gated cell whose weights no longer change: its products packed or quantised, or looked up in a table."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm.cells.cell import State
from nmt_lstm.cells.cell_wrapper import CellWrapper
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.numerics.frozen_linear import FrozenLinear, FrozenPrecision, frozen_linear
from nmt_lstm.numerics.int8 import quantized
from nmt_lstm.numerics.linear import linear
from nmt_lstm.recurrence.recurrence import cut_gates

__all__ = ["FrozenCell", "PieceTable", "can_freeze", "freeze_cell"]

OWN_PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class PieceTable(nn.Module):
    """What a product makes of each piece's embedding, computed once: a row for each piece.

    Args:
        weight: (V, width), float32, bf16, or int8 with a scale.
        scale: (V, 1), float32, of int8 rows; None for the others.
    """

    weight: Tensor
    scale: Tensor | None

    def __init__(self, weight: Tensor, scale: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)

    def forward(self, pieces: Tensor) -> Tensor:
        """Return (..., width), float32, of pieces (...)."""
        rows = functional.embedding(pieces, self.weight).float()
        return rows if self.scale is None else rows.mul_(functional.embedding(pieces, self.scale))


class FrozenCell(CellWrapper):
    """Steps and sequences of a `GatedCell` for inference: two products, or a lookup and one, then its own `update`.

    Args:
        cell: whose update is used; its own products are not.
        from_input: makes the gates' pre-activations of the inputs; if it is a `PieceTable`, inputs are pieces.
        from_history: the same of the first state; None if the cell has no such gates.
    """

    cell: GatedCell

    def __init__(self, cell: GatedCell, *, from_input: nn.Module, from_history: FrozenLinear | None) -> None:
        super().__init__(cell)
        self.from_input = from_input
        self.from_history = from_history
        self._recurrence = cell.recurrence()

    def initial_state(self, batch_size: int) -> State:
        """Return the state before a first position, where no bridge makes it."""
        return self.bridged_state(
            tuple(
                torch.zeros(batch_size, width, dtype=torch.float32, device="cpu")
                for width in self.bridge_sizes.values()
            )
        )

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position: (B, input_size), or pieces (B,)."""
        return self._advance(self._gates(self.from_input(inputs), inputs), state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence: (B, T, input_size), or pieces (B, T)."""
        inputs = inputs.transpose(0, 1).contiguous()
        products = self.from_input(inputs)
        outputs = []
        for position in range(len(inputs)):
            output, state = self._advance(self._gates(products[position], inputs[position]), state)
            outputs.append(output)
        return torch.stack(outputs, 1), state

    def _gates(self, products: Tensor, inputs: Tensor) -> tuple[Tensor, ...]:
        parts = [products, inputs] if self.cell.passes_input else [products]
        return cut_gates(parts, self.hidden_size)

    def _advance(self, x: tuple[Tensor, ...], state: State) -> tuple[Tensor, State]:
        h: tuple[Tensor, ...] = ()
        if self.from_history is not None:
            h = cut_gates([self.from_history(state[0])], self.hidden_size)
        return self._recurrence.rows(x, h, state, ())


def can_freeze(cell: nn.Module) -> bool:
    """Whether a cell's step is the base's: its two products and its update, nothing of its own around them."""
    return (
        isinstance(cell, GatedCell)
        and type(cell).step is GatedCell.step
        and type(cell).step_by is GatedCell.step_by
        and type(cell).from_input is GatedCell.from_input
        and type(cell).recurrence is GatedCell.recurrence
    )


def freeze_cell(
    cell: GatedCell,
    precision: FrozenPrecision,
    embedding: Tensor | None = None,
    *,
    with_table: bool = True,
) -> FrozenCell:
    """Return a frozen cell that takes the place of `cell`, which loses its own weights.

    Args:
        cell: one that `can_freeze`.
        precision: of the products and of the table.
        embedding: (V, input_size), to fold the product with the input into a table: the inputs are then pieces.
        with_table: compute the table; otherwise its values are anything, to be loaded.
    """
    from_input: nn.Module
    weight, bias = cell.weight_ih.detach(), cell.bias_ih.detach()
    if embedding is None:
        from_input = frozen_linear(weight, bias, precision)
    else:
        from_input = _table(embedding.detach(), weight, bias, precision, computed=with_table)
    from_history = frozen_linear(cell.weight_hh, cell.bias_hh, precision) if cell.history else None
    for name in OWN_PARAMETERS:
        if name in cell._parameters:  # noqa: SLF001 - the cell is a copy of our own
            delattr(cell, name)
    return FrozenCell(cell, from_input=from_input, from_history=from_history)


def _table(
    embedding: Tensor, weight: Tensor, bias: Tensor | None, precision: FrozenPrecision, *, computed: bool
) -> PieceTable:
    size = len(embedding), len(weight)
    if precision == "int8":
        if not computed:
            return PieceTable(
                embedding.new_empty(size, dtype=torch.int8), embedding.new_empty(len(embedding), 1)
            )
        return PieceTable(*quantized(linear(embedding, weight, bias)))
    dtype = torch.float32 if precision == "float32" else torch.bfloat16
    table = linear(embedding, weight, bias).to(dtype) if computed else torch.empty(size, dtype=dtype)
    return PieceTable(table)
