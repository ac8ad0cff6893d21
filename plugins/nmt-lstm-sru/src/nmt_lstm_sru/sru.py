"""The simple recurrent unit: no product with the last output, so a sequence is one product and a light sweep."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State, check_sequence
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.pointwise import sigmoid

__all__ = ["SRU"]


class SRU(Cell):
    r"""Simple recurrent unit: gates look at the last cell state element by element; light, and made to be stacked.

    Equations (the highway's scale a keeps the variance of the inputs through many layers)::

        candidate u = W x
        forget    f = sigmoid(W_f x + v_f * c + b_f)
        reset     r = sigmoid(W_r x + v_r * c + b_r)
        cell      c' = f * c + (1 - f) * u
        hidden    h = r * c' + (1 - r) * a * x        (W_x x in place of x where the widths differ)
        scale     a = sqrt(1 + 2 exp(highway_bias))

    Source: Lei et al. 2018, "Simple Recurrent Units for Highly Parallelizable Recurrence".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the cell state and the output.
        highway_bias: initial bias of the reset gate; negative values let more of the input through.
    """

    def __init__(self, input_size: int, hidden_size: int, *, highway_bias: float = 0.0) -> None:
        super().__init__(input_size, hidden_size)
        self.scale = math.sqrt(1.0 + 2.0 * math.exp(highway_bias))
        blocks = 3 if input_size == hidden_size else 4
        self.weight = nn.Parameter(torch.empty(blocks * hidden_size, input_size))
        self.bias = nn.Parameter(torch.empty(2 * hidden_size))
        self.cell_weight = nn.Parameter(torch.empty(2 * hidden_size))
        with torch.no_grad():
            # Variance 1 / input_size for all products, 1 / 3 of that of the products for the cell's own part.
            nn.init.uniform_(self.weight, -math.sqrt(3.0 / input_size), math.sqrt(3.0 / input_size))
            nn.init.uniform_(self.cell_weight, -1.0, 1.0)
            nn.init.zeros_(self.bias)
            self.bias[hidden_size:].fill_(highway_bias)

    @property
    def state_sizes(self) -> dict[str, int]:
        """The cell state alone; the output is not carried on."""
        return {"cell": self.hidden_size}

    def _products(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return candidate and both gates' pre-activations (..., 2 H) and the highway of (..., input_size)."""
        hidden = self.hidden_size
        products = linear(inputs, self.weight)
        gates = products[..., hidden : 3 * hidden] + self.bias
        through = inputs if self.input_size == hidden else products[..., 3 * hidden :]
        return products[..., :hidden], gates, through.to(products.dtype) * self.scale

    def _transition(
        self, candidate: Tensor, gates: Tensor, through: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor]:
        forget, reset = sigmoid(gates + self.cell_weight * cell.repeat(1, 2)).chunk(2, -1)
        cell = candidate + forget * (cell - candidate)
        return through + reset * (cell - through), cell

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position: (B, input_size) to (B, H)."""
        output, cell = self._transition(*self._products(inputs), state[0])
        return output, (cell,)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence, its products at once: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        (cell,), outputs = state, []
        candidates, gates, through = self._products(inputs)
        for position in zip(candidates.unbind(1), gates.unbind(1), through.unbind(1), strict=True):
            output, cell = self._transition(*position, cell)
            outputs.append(output)
        return torch.stack(outputs, 1), (cell,)
