"""The long short-term memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nmt_lstm.cells.cell import State, check_sequence
from nmt_lstm.cells.fused import kernel_arguments, without_padding_rows
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.numerics.pointwise import tanh

__all__ = ["LSTM"]


class LSTM(GatedCell):
    r"""Long short-term memory: a cell state behind input, forget and output gates; best at long dependencies.

    Equations::

        input     i = sigmoid(W_i x + U_i h + b_i)
        forget    f = sigmoid(W_f x + U_f h + b_f)
        candidate g = tanh(W_g x + U_g h + b_g)
        output    o = sigmoid(W_o x + U_o h + b_o)
        cell      c' = f * c + i * g
        hidden    h' = o * tanh(c')

    Source: Hochreiter and Schmidhuber 1997; forget gate Gers et al. 2000; its bias of 1 Jozefowicz et al. 2015.
    Weights of `torch.nn.LSTM` load unchanged.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden and the cell state.
        forget_bias: initial bias of the forget gate.
    """

    gates = ("input", "forget", "candidate", "output")
    state = ("hidden", "cell")

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"forget": forget_bias})

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden, cell)."""
        # Gates and states are (B, H) each. The hidden state has entered h through the recurrent product.
        _, cell = state
        # f * c: near 1, a forget gate passes the cell state and its gradient on unchanged.
        remembered = torch.sigmoid(x.forget + h.forget) * cell
        # c' = f * c + i * g
        cell = remembered + torch.sigmoid(x.input + h.input) * tanh(x.candidate + h.candidate)
        # h' = o * tanh(c'); the output is the hidden state.
        return torch.sigmoid(x.output + h.output) * tanh(cell), cell

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence with the fused kernel: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        rows = inputs.shape[0]
        inputs, state, weights = kernel_arguments(self, inputs, state)
        # torch.lstm has layers and directions as the first dimension: states are (1, B, H).
        outputs, hidden, cell = torch.lstm(
            inputs, [state[0][None], state[1][None]], weights, True, 1, 0.0, self.training, False, True
        )
        return without_padding_rows(outputs, (hidden[0], cell[0]), rows)
