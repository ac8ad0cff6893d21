"""The lightweight recurrent network."""

from __future__ import annotations

from typing import Any, Literal

import torch

from nmt_lstm import GatedCell, State

__all__ = ["LRN"]


class LRN(GatedCell):
    r"""Lightweight recurrent network: gates see the last output element by element; 3/8 of an LSTM's products.

    Equations, with query, key and value of the input as in attention::

        query  q = W_q x + b_q
        key    k = W_k x + b_k
        value  v = W_v x + b_v
        input  i = sigmoid(k + h)
        forget f = sigmoid(q - h)
        hidden h' = tanh(i * v + f * h)     (or without tanh)

    Source: Zhang and Sennrich 2019, "A Lightweight Recurrent Network for Sequence Modeling".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        activation: "tanh" or "identity".
    """

    gates = ("query", "key", "value")
    recurrent = False  # no product with the last output

    def __init__(
        self, input_size: int, hidden_size: int, *, activation: Literal["tanh", "identity"] = "tanh"
    ) -> None:
        super().__init__(input_size, hidden_size)
        self.activation = activation

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden,)."""
        (hidden,) = state
        new = torch.sigmoid(x.key + hidden) * x.value + torch.sigmoid(x.query - hidden) * hidden
        return (torch.tanh(new) if self.activation == "tanh" else new,)
