"""What the fused kernels of the stock cells share: their arguments, and results that do not depend on the batch size."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.cells.cell import State
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.numerics.row_counts import SMALLEST_INVARIANT_ROWS

__all__ = ["LARGEST_SMALL_STATE", "fused_arguments", "unfused", "unroll_is_faster"]

# oneDNN's bf16 LSTM is made for blocks of rows: forward and backward, 20 steps of 512, two threads of a processor with
# AMX, took 76 ms for 83 rows and 32 ms for 88.
ROWS_OF_A_BLOCK = 8

# Rows times hidden size up to which the kernel trains faster than the unrolled loop on every processor measured.
LARGEST_SMALL_STATE = 8192


def fused_arguments(cell: GatedCell, inputs: Tensor, state: State) -> tuple[int, Tensor, State, list[Tensor]]:
    """Return the number of rows asked for, then inputs, state and weights as the kernels take them.

    On a processor some batches are padded with rows of zeros. Without gradients those that are small: the kernels'
    results are the same, bit for bit, at any number of rows from 4 on. In bf16 those that end within a block.
    """
    rows = inputs.shape[0]
    missing = _missing_rows(rows, inputs)
    if missing:
        # `pad` counts dimensions from the last one: (B, T, input_size) and each state (B, H) get rows at their end.
        inputs = functional.pad(inputs, (0, 0, 0, 0, 0, missing))
        state = tuple(functional.pad(part, (0, 0, 0, missing)) for part in state)
    if not torch.is_autocast_enabled(inputs.device.type):
        state = tuple(part.to(inputs.dtype) for part in state)
    return (
        rows,
        inputs,
        tuple(part.contiguous() for part in state),
        [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh],
    )


def _missing_rows(rows: int, inputs: Tensor) -> int:
    """Return how many rows a batch of (rows, T, input_size) lacks to be computed well."""
    if inputs.device.type != "cpu":
        return 0
    smallest = 0 if torch.is_grad_enabled() else SMALLEST_INVARIANT_ROWS
    in_bf16 = inputs.dtype == torch.bfloat16 or torch.is_autocast_enabled("cpu")
    block = -rows % ROWS_OF_A_BLOCK if in_bf16 and rows > ROWS_OF_A_BLOCK else 0
    return max(smallest - rows, block)


def unfused(outputs: Tensor, state: State, rows: int) -> tuple[Tensor, State]:
    """Return outputs and state without the rows that padded the batch."""
    return (
        (outputs, state)
        if outputs.shape[0] == rows
        else (outputs[:rows], tuple(part[:rows] for part in state))
    )


def unroll_is_faster(inputs: Tensor, hidden_size: int) -> bool:
    """Whether the unrolled loop is to be taken for GRU and RNN on these inputs, in place of the kernel.

    PyTorch has no oneDNN kernel for them in float32 on a processor. Forward and backward, 20 steps of 100 rows of 512, one
    core: on an AMD EPYC GRU took 132 ms by the loop and 202 by the kernel, RNN 60 and 109; on an Intel Xeon with AMX 232
    and 209, 77 and 66. With few and narrow rows the kernel wins on both, since the loop's time is then that of its many
    small operations (20 rows of 64, 200 steps: GRU 76 ms and 39), and so it does in bf16.

    Without gradients the choice must not depend on the rows, and only the loop gives a row the same bits at any number of
    them: the kernel's products change at 16 rows.
    """
    if inputs.device.type != "cpu" or inputs.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    return not torch.is_grad_enabled() or inputs.shape[0] * hidden_size > LARGEST_SMALL_STATE
