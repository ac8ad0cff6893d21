"""The simple recurrent unit: no product with the last output, so a sequence is one product and a light loop."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from nmt_lstm import GatedCell, State

__all__ = ["SRU"]


class SRU(GatedCell):
    r"""Simple recurrent unit: gates see the last state element by element; 3/8 of an LSTM's products; use it in stacks.

    Equations (the highway's scale a keeps the variance of the inputs through many layers)::

        candidate u = W x + b
        forget    f = sigmoid(W_f x + v_f * c + b_f)
        reset     r = sigmoid(W_r x + v_r * c + b_r)
        cell      c' = f * c + (1 - f) * u
        output    h = r * c' + (1 - r) * a * x        (W_x x + b_x in place of x where the widths differ)
        scale     a = sqrt(1 + 2 exp(highway_bias))

    Source: Lei et al. 2018, "Simple Recurrent Units for Highly Parallelizable Recurrence".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the cell state and the output.
        highway_bias: initial bias of the reset gate; negative values let more of the input through.
    """

    gates = ("candidate", "forget", "reset", "highway")
    state = ("cell",)
    recurrent = False  # no product with the last output
    output_is_state = False  # the output is not part of the state
    highway = "highway"  # the input itself, where it is as wide as the cell

    def __init__(self, input_size: int, hidden_size: int, *, highway_bias: float = 0.0) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"reset": highway_bias})
        self.scale = math.sqrt(1.0 + 2.0 * math.exp(highway_bias))
        self.forget_weight = nn.Parameter(torch.empty(hidden_size))
        self.reset_weight = nn.Parameter(torch.empty(hidden_size))
        self._reset_own_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        super().reset_parameters()
        if "reset_weight" in self._parameters:  # not when the base's constructor calls this
            self._reset_own_parameters()

    def _reset_own_parameters(self) -> None:
        nn.init.uniform_(self.forget_weight, -1.0, 1.0)
        nn.init.uniform_(self.reset_weight, -1.0, 1.0)
        # As in the paper: products have variance 1 for inputs of variance 1.
        bound = math.sqrt(3.0 / self.input_size)
        nn.init.uniform_(self.weight_ih, -bound, bound)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return the output and (cell,)."""
        (cell,) = state
        forget = torch.sigmoid(x.forget + self.forget_weight * cell)
        reset = torch.sigmoid(x.reset + self.reset_weight * cell)
        cell = x.candidate + forget * (cell - x.candidate)
        highway = self.scale * x.highway
        return highway + reset * (cell - highway), cell
