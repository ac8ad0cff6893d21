"""The quasi-recurrent network."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from nmt_lstm import Cell, LinearCell
from nmt_lstm.cells.cell import check_sequence
from nmt_lstm.numerics.linear import linear

__all__ = ["QRNN"]

GATES = 3


class QRNN(Cell):
    r"""Quasi-recurrent network: gates of the last inputs, by a convolution, and no recurrent product; parallel in time.

    Equations, X being the last `window` inputs side by side (zeros before the first)::

        forget    f = sigmoid(W_f X + b_f)
        candidate z = tanh(W_z X + b_z)
        output    o = sigmoid(W_o X + b_o)
        cell      c' = f * c + (1 - f) * z
        output    h = o * c'

    Source: Bradbury et al. 2017, "Quasi-Recurrent Neural Networks", with fo-pooling. Carried from position to position is
    what the inputs so far add to gates to come, not the inputs, so that the state's widths do not depend on the input's.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the cell state and the output.
        window: how many inputs the gates see.
    """

    output_is_state = False

    def __init__(self, input_size: int, hidden_size: int, *, window: int = 2) -> None:
        super().__init__(input_size, hidden_size)
        if window < 1:
            raise ValueError(f"window is a number of inputs, at least 1; got {window}.")
        self.window = window
        # Blocks for this input, for the one before, and so on; in each the three gates.
        bound = math.sqrt(6.0 / (window * input_size + hidden_size))
        self.weight = nn.Parameter(
            torch.empty(window * GATES * hidden_size, input_size).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.zeros(GATES * hidden_size))
        self.pooling = _Pooling(hidden_size)

    @property
    def state_sizes(self) -> dict[str, int]:
        """The cell state, and what is to be added to the gates of the next positions, if these see inputs before."""
        width = (self.window - 1) * GATES * self.hidden_size
        return {"cell": self.hidden_size, **({"gates": width} if width else {})}

    @property
    def bridge_sizes(self) -> dict[str, int]:
        """The cell state; before the first input there is none."""
        return {"cell": self.hidden_size}

    def bridged_state(self, parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the cell state with nothing to be added to gates."""
        (cell,) = parts
        return (cell, *(cell.new_zeros(len(cell), width) for width in [*self.state_sizes.values()][1:]))

    def step(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Take one position: (B, input_size) to (B, H)."""
        gates, carried = self._gates(inputs[:, None], state[1:])
        output, last = self.pooling.step(gates[:, 0], state[:1])
        return output, (*last, *carried)

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Take a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        gates, carried = self._gates(inputs, state[1:])
        outputs, last = self.pooling(gates, state[:1])
        return outputs, (*last, *carried)

    def _gates(self, inputs: Tensor, carried: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the gates (B, T, 3 H), and what is carried to the positions after the last."""
        length = inputs.shape[1]
        products = linear(inputs, self.weight).unflatten(-1, (self.window, -1))
        # Each block moves to the positions that it is for; behind the last stands what is carried on.
        moved = nn.functional.pad(products[:, :, 0], (0, 0, 0, self.window - 1))
        for lag in range(1, self.window):
            moved = moved + nn.functional.pad(products[:, :, lag], (0, 0, lag, self.window - 1 - lag))
        for part in carried:
            before = part.to(moved.dtype).unflatten(-1, (self.window - 1, -1))
            moved = moved + nn.functional.pad(before, (0, 0, 0, length))
        gates = moved[:, :length] + self.bias.to(moved.dtype)
        return gates, tuple(moved[:, length:].flatten(1).to(part.dtype) for part in carried)


class _Pooling(LinearCell):
    """Pooling with forget and output gates ("fo-pooling") of gates that are computed already; no parameters."""

    gates = ("forget", "candidate", "output")
    state = ("cell",)
    output_is_state = False

    def __init__(self, hidden_size: int) -> None:
        Cell.__init__(self, GATES * hidden_size, hidden_size)

    def from_input(self, inputs: Tensor) -> list[Tensor]:
        """Return the inputs: they are the gates."""
        return [inputs]

    def coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        """Return what is kept and what is added."""
        forget = torch.sigmoid(x.forget)
        return forget, (1 - forget) * torch.tanh(x.candidate)

    def output(self, x: Any, state: Tensor) -> Tensor:
        """Return the cell state as far as the output gate shows it."""
        return torch.sigmoid(x.output) * state
