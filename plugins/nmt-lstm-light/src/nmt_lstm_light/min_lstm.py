"""The minimal LSTM."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nmt_lstm import LinearCell
from nmt_lstm_light.positive import positive_part

__all__ = ["MinLSTM"]

# Added to the sum of the gates, by which they are divided: in float32 both may be 0.
MIN_SUM = 1e-20


class MinLSTM(LinearCell):
    r"""Minimal LSTM: gates of the input alone that sum to 1, parallel in time; 3/8 of an LSTM's products; use it in stacks.

    Equations::

        forget    f = sigmoid(W_f x + b_f)
        input     i = sigmoid(W_i x + b_i)
        candidate u = W x + b,          or g(W x + b) with g(v) = v + 0.5 for v >= 0, sigmoid(v) below
        hidden    h' = (f * h + i * u) / (f + i)

    Source: Feng et al. 2024, "Were RNNs All We Needed?"; g is from their version in logarithmic space.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        forget_bias: initial bias of the forget gate.
        positive: apply g to the candidates.
    """

    gates = ("forget", "input", "candidate")

    def __init__(
        self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0, positive: bool = False
    ) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"forget": forget_bias})
        self.positive = positive

    def coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        """Return decay and addition, each (..., H)."""
        forget, input_gate = torch.sigmoid(x.forget), torch.sigmoid(x.input)
        decay = forget / (forget + input_gate + MIN_SUM)
        candidate = positive_part(x.candidate) if self.positive else x.candidate
        return decay, (1 - decay) * candidate
