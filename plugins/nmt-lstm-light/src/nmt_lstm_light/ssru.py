"""The simpler simple recurrent unit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nmt_lstm import LinearCell

__all__ = ["SSRU"]


class SSRU(LinearCell):
    r"""Simpler simple recurrent unit: one gate of the input alone; the fastest decoder, a quarter of an LSTM's products.

    Equations::

        forget    f = sigmoid(W_f x + b_f)
        candidate u = W x + b
        cell      c' = f * c + (1 - f) * u
        output    h = relu(c')

    Source: Kim et al. 2019, "From Research to Production and Back: Ludicrously Fast Neural Machine Translation".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the cell state and the output.
        forget_bias: initial bias of the forget gate.
    """

    gates = ("forget", "candidate")
    state = ("cell",)
    output_is_state = False

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"forget": forget_bias})

    def coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        """Return decay and addition, each (..., H)."""
        forget = torch.sigmoid(x.forget)
        return forget, (1 - forget) * x.candidate

    def output(self, x: Any, state: Tensor) -> Tensor:
        """Return the rectified cell state (..., H)."""
        return torch.relu(state)
