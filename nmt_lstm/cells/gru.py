"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nmt_lstm.cells.cell import State, check_sequence
from nmt_lstm.cells.fused import kernel_arguments, prefers_unrolled_loop, without_padding_rows
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.numerics.pointwise import tanh

__all__ = ["GRU"]


class GRU(GatedCell):
    r"""Gated recurrent unit: reset and update gates, one state; three quarters of the LSTM's parameters and cost.

    Equations (cuDNN's variant, the reset gate after the recurrent product)::

        reset     r = sigmoid(W_r x + b_r + U_r h + d_r)
        update    z = sigmoid(W_z x + b_z + U_z h + d_z)
        candidate n = tanh(W_n x + b_n + r * (U_n h + d_n))
        hidden    h' = (1 - z) * n + z * h

    Source: Cho et al. 2014, section 2.3, in the variant of cuDNN and PyTorch: the reset gate acts after the product.
    Weights of `torch.nn.GRU` load unchanged.
    """

    gates = ("reset", "update", "candidate")

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden,)."""
        (hidden,) = state
        # n = tanh(x + r * h), (B, H): the reset gate acts after the product, so that one product is enough for all gates.
        candidate = tanh(x.candidate + torch.sigmoid(x.reset + h.reset) * h.candidate)
        # (1 - z) * n + z * h = n + z * (h - n), which needs one multiplication fewer; `x.update` is the gate z, not this
        # method.
        return (candidate + torch.sigmoid(x.update + h.update) * (hidden - candidate),)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence with the fused kernel or the unrolled loop: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        if prefers_unrolled_loop(inputs, self.hidden_size):
            return self.unroll(inputs, state)
        rows = inputs.shape[0]
        inputs, state, weights = kernel_arguments(self, inputs, state)
        outputs, hidden = torch.gru(inputs, state[0][None], weights, True, 1, 0.0, self.training, False, True)
        return without_padding_rows(outputs, (hidden[0],), rows)
