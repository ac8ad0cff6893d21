"""The recurrent network whose units are independent of each other."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn

from nmt_lstm import GatedCell, State

__all__ = ["IndRNN"]


class IndRNN(GatedCell):
    r"""Independently recurrent network: each unit sees only its own past; an eighth of an LSTM's products; use it in stacks.

    Equations::

        hidden h' = relu(W x + b + u * h)     (or tanh),   |u| <= 2 ^ (1 / longest)

    Source: Li et al. 2018, "Independently Recurrent Neural Network (IndRNN): Building A Longer and Deeper RNN". The bound
    on u keeps gradients over `longest` steps within a factor of 2; u starts uniform between 0 and the bound.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        nonlinearity: "relu" or "tanh".
        longest: number of steps over which neither values nor gradients may explode.
    """

    gates = ("candidate",)
    recurrent = False  # no product with the last output

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        nonlinearity: Literal["relu", "tanh"] = "relu",
        longest: int = 100,
    ) -> None:
        super().__init__(input_size, hidden_size)
        if longest < 1:
            raise ValueError(f"longest must be at least 1 step; got {longest}.")
        self.nonlinearity = nonlinearity
        self.bound = 2.0 ** (1.0 / longest)
        self.recurrent_weight = nn.Parameter(torch.empty(hidden_size))
        self._reset_own_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        super().reset_parameters()
        if "recurrent_weight" in self._parameters:  # not when the base's constructor calls this
            self._reset_own_parameters()

    def _reset_own_parameters(self) -> None:
        nn.init.uniform_(self.recurrent_weight, 0.0, self.bound)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden,)."""
        total = x.candidate + self.recurrent_weight.clamp(-self.bound, self.bound) * state[0]
        return (torch.relu(total) if self.nonlinearity == "relu" else torch.tanh(total),)
