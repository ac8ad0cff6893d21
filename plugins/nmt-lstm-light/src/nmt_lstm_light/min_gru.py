"""The minimal GRU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nmt_lstm import LinearCell
from nmt_lstm_light.positive import positive_part

__all__ = ["MinGRU"]


class MinGRU(LinearCell):
    r"""Minimal GRU: one gate of the input alone, parallel in time; a quarter of an LSTM's products; use it in stacks.

    Equations::

        update    z = sigmoid(W_z x + b_z)
        candidate u = W x + b,          or g(W x + b) with g(v) = v + 0.5 for v >= 0, sigmoid(v) below
        hidden    h' = (1 - z) * h + z * u

    Source: Feng et al. 2024, "Were RNNs All We Needed?"; g is from their version in logarithmic space.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        update_bias: initial bias of the update gate; negative values remember longer.
        positive: apply g to the candidates.
    """

    gates = ("update", "candidate")

    def __init__(
        self, input_size: int, hidden_size: int, *, update_bias: float = 0.0, positive: bool = False
    ) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"update": update_bias})
        self.positive = positive

    def coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        """Return decay and addition, each (..., H)."""
        update = torch.sigmoid(x.update)
        candidate = positive_part(x.candidate) if self.positive else x.candidate
        return 1 - update, update * candidate
