"""The quasi-recurrent network."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from nmt_lstm import Cell, LinearCell, State, check_sequence, linear, sequence_linear

__all__ = ["QRNN"]

GATES = 3


class QRNN(Cell):
    r"""Quasi-recurrent network: gates from a convolution over the last inputs, no recurrent product; parallel in time.

    Equations, X being the last `window` inputs side by side (zeros before the first)::

        forget    f = sigmoid(W_f X + b_f)
        candidate z = tanh(W_z X + b_z)
        output    o = sigmoid(W_o X + b_o)
        cell      c' = f * c + (1 - f) * z
        output    h = o * c'

    Source: Bradbury et al. 2017, "Quasi-Recurrent Neural Networks", with fo-pooling. The state holds what the
    inputs so far add to future gates, rather than the inputs, so that its width does not depend on that of the inputs.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the cell state and the output.
        window: number of inputs in the convolution.
    """

    output_is_state = False

    def __init__(self, input_size: int, hidden_size: int, *, window: int = 2) -> None:
        super().__init__(input_size, hidden_size)
        if window < 1:
            raise ValueError(f"window must be at least 1 input; got {window}.")
        self.window = window
        # Blocks for the current input, the previous one etc.; each holds the three gates.
        self.weight = nn.Parameter(torch.empty(window * GATES * hidden_size, input_size))
        self.bias = nn.Parameter(torch.empty(GATES * hidden_size))
        self.pooling = _Pooling(hidden_size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        bound = math.sqrt(6.0 / (self.window * self.input_size + self.hidden_size))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.zeros_(self.bias)

    @property
    def state_sizes(self) -> dict[str, int]:
        """The cell state, and the contributions of earlier inputs to the gates of the next positions."""
        width = (self.window - 1) * GATES * self.hidden_size
        return {"cell": self.hidden_size, **({"gates": width} if width else {})}

    @property
    def bridge_sizes(self) -> dict[str, int]:
        """The cell state; there are no inputs before the first."""
        return {"cell": self.hidden_size}

    def bridged_state(self, projected: State) -> State:
        """Return the cell state, and no contributions to the gates."""
        (cell,) = projected
        return (cell, *(cell.new_zeros(cell.shape[0], width) for width in [*self.state_sizes.values()][1:]))

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position: (B, input_size) to (B, H)."""
        products = linear(inputs, self.weight)
        gates, ahead = products.split([len(self.bias), products.shape[1] - len(self.bias)], 1)
        gates = gates + self.bias.to(gates.dtype)
        for part in state[1:]:
            # The first block belongs to this position; the others move one position ahead.
            gates = gates + part[:, : len(self.bias)].to(gates.dtype)
            shifted = nn.functional.pad(part[:, len(self.bias) :], (0, len(self.bias)))
            ahead = shifted + ahead.to(part.dtype)
        output, last = self.pooling.step(gates, state[:1])
        return output, (*last, *(ahead for _ in state[1:]))

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        length, before = inputs.shape[1], self.window - 1
        # One product for all inputs of a window, the oldest first.
        weight = torch.cat(self.weight.chunk(self.window)[::-1], 1)
        padded = nn.functional.pad(inputs, (0, 0, before, 0))
        gates = sequence_linear(self._windows(padded), weight, self.bias)
        carried = []
        for part in state[1:]:
            due = part.to(gates.dtype).unflatten(1, (before, -1))[:, :length]
            gates = gates + nn.functional.pad(due, (0, 0, 0, length - due.shape[1]))
            last_inputs = nn.functional.pad(padded[:, -before:], (0, 0, 0, before))
            ahead = linear(self._windows(last_inputs), weight)
            remaining = nn.functional.pad(
                part.unflatten(1, (before, -1))[:, length:], (0, 0, 0, min(length, before))
            )
            carried.append((ahead.to(part.dtype) + remaining).flatten(1))
        outputs, last = self.pooling(gates, state[:1])
        return outputs, (*last, *carried)

    def _windows(self, inputs: Tensor) -> Tensor:
        """Return (B, T - window + 1, window * I) of inputs (B, T, I): each position with the preceding ones."""
        return inputs.unfold(1, self.window, 1).transpose(2, 3).flatten(2)


class _Pooling(LinearCell):
    """Pooling with forget and output gates ("fo-pooling"), whose inputs are the gates' pre-activations; no parameters."""

    gates = ("forget", "candidate", "output")
    state = ("cell",)
    output_is_state = False

    def __init__(self, hidden_size: int) -> None:
        Cell.__init__(self, GATES * hidden_size, hidden_size)

    def from_input(self, inputs: Tensor) -> list[Tensor]:
        """Return the inputs (..., 3*H), which are the pre-activations."""
        return [inputs]

    def coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        """Return decay and addition, each (..., H)."""
        forget = torch.sigmoid(x.forget)
        return forget, (1 - forget) * torch.tanh(x.candidate)

    def output(self, x: Any, state: Tensor) -> Tensor:
        """Return the output (..., H): the cell state times the output gate."""
        return torch.sigmoid(x.output) * state
