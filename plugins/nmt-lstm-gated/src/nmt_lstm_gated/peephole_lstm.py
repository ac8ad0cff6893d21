"""The LSTM whose gates see the cell state."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from nmt_lstm import GatedCell, State

__all__ = ["PeepholeLSTM"]


class PeepholeLSTM(GatedCell):
    r"""LSTM with peepholes: its gates also see the cell state, element by element; for timing and counting.

    Equations::

        input     i = sigmoid(W_i x + U_i h + p_i * c + b_i)
        forget    f = sigmoid(W_f x + U_f h + p_f * c + b_f)
        candidate g = tanh(W_g x + U_g h + b_g)
        cell      c' = f * c + i * g
        output    o = sigmoid(W_o x + U_o h + p_o * c' + b_o)
        hidden    h' = o * tanh(c')

    Source: Gers and Schmidhuber 2000, "Recurrent Nets that Time and Count"; compared in Greff et al. 2017.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden and the cell state.
        forget_bias: initial bias of the forget gate.
    """

    gates = ("input", "forget", "candidate", "output")
    state = ("hidden", "cell")

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"forget": forget_bias})
        self.input_peephole = nn.Parameter(torch.zeros(hidden_size))
        self.forget_peephole = nn.Parameter(torch.zeros(hidden_size))
        self.output_peephole = nn.Parameter(torch.zeros(hidden_size))

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        super().reset_parameters()
        if "output_peephole" in self._parameters:  # not when the base's constructor calls this
            for peephole in (self.input_peephole, self.forget_peephole, self.output_peephole):
                nn.init.zeros_(peephole)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden, cell)."""
        _, cell = state
        input_gate = torch.sigmoid(x.input + h.input + self.input_peephole * cell)
        forget = torch.sigmoid(x.forget + h.forget + self.forget_peephole * cell)
        cell = forget * cell + input_gate * torch.tanh(x.candidate + h.candidate)
        output_gate = torch.sigmoid(x.output + h.output + self.output_peephole * cell)
        return output_gate * torch.tanh(cell), cell
