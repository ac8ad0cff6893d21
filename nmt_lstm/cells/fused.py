"""Calling PyTorch's fused kernels for the stock cells, with results that do not depend on the batch size."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.cells.cell import State
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.numerics.row_counts import MIN_INVARIANT_ROWS

__all__ = ["MAX_SMALL_STATE", "kernel_arguments", "prefers_unrolled_loop", "without_padding_rows"]

# oneDNN's bf16 LSTM is made for blocks of rows: forward and backward, 20 steps of 512, two threads of a processor with
# AMX, took 76 ms for 83 rows and 32 ms for 88.
ROWS_OF_A_BLOCK = 8

# Rows times hidden size up to which the kernel trains faster than the unrolled loop on every processor measured.
MAX_SMALL_STATE = 8192


def kernel_arguments(cell: GatedCell, inputs: Tensor, state: State) -> tuple[Tensor, State, list[Tensor]]:
    """Return inputs, state and weights in the form that the kernels take.

    On a CPU some batches are padded with rows of zeros: without gradients small ones, because the kernels' results are
    the same, bit for bit, at any number of rows from 4 on; in bf16 those that end within a block.

    Args:
        cell: its weights are returned.
        inputs: (B, T, input_size).
        state: each (B, H).
    """
    padding = _padding_rows(inputs)
    if padding:
        # `pad` counts dimensions from the last one: (B, T, input_size) and each state (B, H) get rows at their end.
        inputs = functional.pad(inputs, (0, 0, 0, 0, 0, padding))
        state = tuple(functional.pad(tensor, (0, 0, 0, padding)) for tensor in state)
    if not torch.is_autocast_enabled(inputs.device.type):
        state = tuple(tensor.to(inputs.dtype) for tensor in state)
    weights: list[Tensor] = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
    return inputs, tuple(tensor.contiguous() for tensor in state), weights


def _padding_rows(inputs: Tensor) -> int:
    """Return how many rows of zeros a batch (B, T, input_size) needs."""
    if inputs.device.type != "cpu":
        return 0
    rows = inputs.shape[0]
    smallest = 0 if torch.is_grad_enabled() else MIN_INVARIANT_ROWS
    in_bf16 = inputs.dtype == torch.bfloat16 or torch.is_autocast_enabled("cpu")
    block = -rows % ROWS_OF_A_BLOCK if in_bf16 and rows > ROWS_OF_A_BLOCK else 0
    return max(smallest - rows, block)


def without_padding_rows(outputs: Tensor, state: State, rows: int) -> tuple[Tensor, State]:
    """Return the first `rows` rows of a kernel's outputs and state."""
    if outputs.shape[0] == rows:
        return outputs, state
    return outputs[:rows], tuple(tensor[:rows] for tensor in state)


def prefers_unrolled_loop(inputs: Tensor, hidden_size: int) -> bool:
    """Whether GRU and RNN use the unrolled loop on inputs (B, T, input_size) rather than PyTorch's kernel.

    PyTorch has no oneDNN kernel for them in float32 on a CPU. Forward and backward, 20 steps of 100 rows of 512, one
    core: on an AMD EPYC GRU took 132 ms with the loop and 202 with the kernel, RNN 60 and 109; on an Intel Xeon with AMX
    232 and 209, 77 and 66. With few and narrow rows the kernel is faster on both, since the loop's time is then that of
    its many small operations (20 rows of 64, 200 steps: GRU 76 ms and 39). In bf16 the kernel is always faster.

    Without gradients the choice must not depend on the number of rows, and only the loop gives a row the same bits at any
    number: the kernel's products change at 16 rows.
    """
    if inputs.device.type != "cpu" or inputs.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    return not torch.is_grad_enabled() or inputs.shape[0] * hidden_size > MAX_SMALL_STATE
