"""The layer-normalised LSTM."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from nmt_lstm import State
from nmt_lstm_gated.normalised_gates import NormalisedGates

__all__ = ["LayerNormLSTM"]


class LayerNormLSTM(NormalisedGates):
    r"""LSTM with layer normalisation of each gate and of the cell state; for deep stacks and unstable training.

    Equations, N_k being (v - mean v) / sqrt(var v + epsilon) times a learned gain, over the hidden width::

        input     i = sigmoid(N_1(W_i x + b_i) + N_2(U_i h + d_i) + s_i)
        forget    f = sigmoid(N_3(W_f x + b_f) + N_4(U_f h + d_f) + s_f)
        candidate g = tanh(N_5(W_g x + b_g) + N_6(U_g h + d_g) + s_g)
        output    o = sigmoid(N_7(W_o x + b_o) + N_8(U_o h + d_o) + s_o)
        cell      c' = f * c + i * g
        hidden    h' = o * tanh(N_9(c') + s_c)

    Source: Ba et al. 2016, "Layer Normalization"; gate by gate as in Chen et al. 2018 (RNMT+).

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden and the cell state.
        forget_bias: initial shift of the forget gate.
        epsilon: added to the variance.
    """

    gates = ("input", "forget", "candidate", "output")
    state = ("hidden", "cell")

    def __init__(
        self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0, epsilon: float = 1e-5
    ) -> None:
        super().__init__(input_size, hidden_size, epsilon=epsilon)
        self.forget_bias = forget_bias
        self.cell_gain = nn.Parameter(torch.ones(hidden_size))
        self.cell_shift = nn.Parameter(torch.zeros(hidden_size))
        self._reset_own_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        super().reset_parameters()
        if "cell_shift" in self._parameters:  # not when the base's constructor calls this
            self._reset_own_parameters()

    def _reset_own_parameters(self) -> None:
        nn.init.ones_(self.cell_gain)
        nn.init.zeros_(self.cell_shift)
        with torch.no_grad():
            self.shift[1].fill_(self.forget_bias)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden, cell)."""
        h = self.normalised_recurrent(h)
        _, cell = state
        remembered = torch.sigmoid(x.forget + h.forget) * cell
        cell = remembered + torch.sigmoid(x.input + h.input) * torch.tanh(x.candidate + h.candidate)
        visible = torch.tanh(self.normalised(cell, self.cell_gain) + self.cell_shift)
        return torch.sigmoid(x.output + h.output) * visible, cell
