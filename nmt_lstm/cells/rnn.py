"""The vanilla recurrent network."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from nmt_lstm.cells.cell import State, check_sequence
from nmt_lstm.cells.fused import kernel_arguments, prefers_unrolled_loop, without_padding_rows
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.numerics.pointwise import tanh

__all__ = ["RNN"]


class RNN(GatedCell):
    r"""Vanilla recurrent network: no gates; small and fast, but its gradients vanish or explode over long distances.

    Equations::

        hidden h' = tanh(W x + b + U h + d)     (or relu)

    Source: Elman 1990. Weights of `torch.nn.RNN` load unchanged.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        nonlinearity: "tanh" or "relu".
    """

    gates = ("candidate",)

    def __init__(
        self, input_size: int, hidden_size: int, *, nonlinearity: Literal["tanh", "relu"] = "tanh"
    ) -> None:
        super().__init__(input_size, hidden_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu'; got {nonlinearity!r}.")
        self.nonlinearity = nonlinearity

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden,)."""
        # W x + b + U h + d, (B, H)
        total = x.candidate + h.candidate
        return (tanh(total) if self.nonlinearity == "tanh" else torch.relu(total),)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence with the fused kernel or the unrolled loop: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        if prefers_unrolled_loop(inputs, self.hidden_size):
            return self.unroll(inputs, state)
        rows = inputs.shape[0]
        inputs, state, weights = kernel_arguments(self, inputs, state)
        kernel = torch.rnn_tanh if self.nonlinearity == "tanh" else torch.rnn_relu
        outputs, hidden = kernel(inputs, state[0][None], weights, True, 1, 0.0, self.training, False, True)
        return without_padding_rows(outputs, (hidden[0],), rows)
