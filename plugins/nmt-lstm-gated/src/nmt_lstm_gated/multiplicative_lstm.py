"""The LSTM whose transition depends on the input."""

from __future__ import annotations

from typing import Any

import torch

from nmt_lstm import Products, State, StepwiseCell

__all__ = ["MultiplicativeLSTM"]


class MultiplicativeLSTM(StepwiseCell):
    r"""Multiplicative LSTM: each input chooses its own recurrent transition; good with characters, at 1.25 times the cost.

    Equations::

        multiplier m = (W_m x + b_m) * (U_m h)
        input      i = sigmoid(W_i x + V_i m + b_i)
        forget     f = sigmoid(W_f x + V_f m + b_f)
        candidate  g = tanh(W_g x + V_g m + b_g)
        output     o = sigmoid(W_o x + V_o m + b_o)
        cell       c' = f * c + i * g
        hidden     h' = o * tanh(c')

    Source: Krause et al. 2016, "Multiplicative LSTM for sequence modelling".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden and the cell state.
        forget_bias: initial bias of the forget gate.
    """

    gates = ("multiplier", "input", "forget", "candidate", "output")
    products = (("multiplier", 1), ("gates", 4))
    state = ("hidden", "cell")

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"forget": forget_bias})

    def advance(self, x: Any, products: Products, state: State) -> State:
        """Return (hidden, cell)."""
        hidden, cell = state
        (multiplier,) = products["multiplier"](hidden)
        input_gate, forget, candidate, output = products["gates"](x.multiplier * multiplier)
        remembered = torch.sigmoid(x.forget + forget) * cell
        cell = remembered + torch.sigmoid(x.input + input_gate) * torch.tanh(x.candidate + candidate)
        return torch.sigmoid(x.output + output) * torch.tanh(cell), cell
