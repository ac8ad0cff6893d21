"""An unrolled cell in an ONNX graph: a ``Scan`` over its step.

PyTorch's exporter traces only the step, so that any cell of PyTorch operators can be exported. A placeholder operator
represents the unrolled cell while the encoder is traced; afterwards the Scan replaces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.inference.onnx.exporter import BATCH, export

if TYPE_CHECKING:
    import onnx_ir

__all__ = ["UnrolledCell", "insert_scans"]

DOMAIN, OPERATOR = "nmt_lstm", "Unrolled"


class _CellStep(nn.Module):
    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, inputs: Tensor, *state: Tensor) -> list[Tensor]:
        output, new = self.cell.step(inputs, state)
        # Copies: an ONNX graph cannot output the same tensor twice.
        return [*(tensor.clone() for tensor in new), output.clone()]


class UnrolledCell(nn.Module):
    """A placeholder for an unrolled cell while the encoder is traced."""

    def __init__(self, cell: Cell, number: int) -> None:
        super().__init__()
        self.cell = cell
        self.number = number
        self.output_size = cell.output_size
        like = next(cell.parameters())
        state = [torch.zeros_like(tensor) for tensor in cell.initial_state(2)]
        inputs = {
            "inputs": like.new_zeros(2, cell.input_size),
            **{f"state.{number}": tensor for number, tensor in enumerate(state)},
        }
        outputs = [*(f"next_state.{number}" for number in range(len(state))), "output"]
        self.body = export(
            f"the cell {type(cell).__name__}", _CellStep(cell), inputs, [{0: BATCH} for _ in inputs], outputs
        ).graph

    def initial_state(self, batch_size: int) -> State:
        """Return the initial state of the cell."""
        return self.cell.initial_state(batch_size)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Return tensors with the shapes of the cell's outputs (B, S, output_size) and last state."""
        steps = inputs.transpose(0, 1)
        *last, outputs = torch.onnx.ops.symbolic_multi_out(
            f"{DOMAIN}::{OPERATOR}",
            (*state, steps),
            {"number": self.number},
            dtypes=[*(tensor.dtype for tensor in state), steps.dtype],
            shapes=[*(tensor.shape for tensor in state), (*steps.shape[:2], self.output_size)],
            version=1,
        )
        return outputs.transpose(0, 1), tuple(last)


def insert_scans(encoder: onnx_ir.Model, unrolled_cells: Sequence[UnrolledCell]) -> None:
    """Replace each placeholder in the encoder's graph by a Scan over the step of its cell."""
    import onnx_ir as ir

    graph = encoder.graph
    for node in [node for node in graph if node.domain == DOMAIN]:
        number = node.attributes["number"].as_int()
        body = unrolled_cells[number].body
        prefix = f"{OPERATOR}{number}/"
        weights = list(body.initializers.values())
        body.initializers.clear()
        for value in [*body.inputs, *(value for each in body for value in each.outputs), *weights]:
            value.name = prefix + str(value.name)
        for each in body:
            each.name = prefix + str(each.name)
        for weight in weights:
            graph.register_initializer(weight)
        # Scan expects the states first.
        inputs, *state = body.inputs
        body.inputs.clear()
        body.inputs.extend([*state, inputs])
        body.name = f"{OPERATOR}{number}"
        scan = ir.Node(
            "",
            "Scan",
            node.inputs,
            [ir.AttrGraph("body", body), ir.AttrInt64("num_scan_inputs", 1)],
            num_outputs=len(node.outputs),
            name=f"{OPERATOR}{number}",
        )
        for old, new in zip(node.outputs, scan.outputs, strict=True):
            new.name, new.shape, new.type = old.name, old.shape, old.type
        ir.convenience.replace_nodes_and_values(graph, node, [node], [scan], node.outputs, scan.outputs)
    encoder.opset_imports.pop(DOMAIN, None)
