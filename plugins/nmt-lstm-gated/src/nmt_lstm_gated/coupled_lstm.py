"""The LSTM whose input gate is what the forget gate leaves."""

from __future__ import annotations

from typing import Any

import torch

from nmt_lstm import GatedCell, State

__all__ = ["CoupledLSTM"]


class CoupledLSTM(GatedCell):
    r"""LSTM with coupled input and forget gates (CIFG): it stores as much as it forgets; 3/4 of the cost.

    Equations::

        forget    f = sigmoid(W_f x + U_f h + b_f)
        candidate g = tanh(W_g x + U_g h + b_g)
        output    o = sigmoid(W_o x + U_o h + b_o)
        cell      c' = f * c + (1 - f) * g
        hidden    h' = o * tanh(c')

    Source: Greff et al. 2017, "LSTM: A Search Space Odyssey" (CIFG), where it does as well as the LSTM.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden and the cell state.
        forget_bias: initial bias of the forget gate.
    """

    gates = ("forget", "candidate", "output")
    state = ("hidden", "cell")

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"forget": forget_bias})

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden, cell)."""
        _, cell = state
        candidate = torch.tanh(x.candidate + h.candidate)
        cell = candidate + torch.sigmoid(x.forget + h.forget) * (cell - candidate)
        return torch.sigmoid(x.output + h.output) * torch.tanh(cell), cell
