"""The minimal gated unit, which has one gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from nmt_lstm import Products, State, StepwiseCell

__all__ = ["MinimalGatedUnit"]


class MinimalGatedUnit(StepwiseCell):
    r"""Minimal gated unit: a GRU whose two gates are one; half of an LSTM's parameters.

    Equations (the gate acts before the product; if it acts after it, as in cuDNN's GRU, the unit is two lines of a
    `GatedCell`: see nmt-lstm's README)::

        forget    f = sigmoid(W_f x + U_f h + b_f)
        candidate g = tanh(W_g x + U_g (f * h) + b_g)
        hidden    h' = (1 - f) * h + f * g

    Source: Zhou et al. 2016, "Minimal Gated Unit for Recurrent Neural Networks".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
    """

    gates = ("forget", "candidate")
    products = (("forget", 1), ("candidate", 1))
    biases: ClassVar[Mapping[str, float]] = {"forget": 1.0}

    def advance(self, x: Any, products: Products, state: State) -> State:
        """Return (hidden,)."""
        (hidden,) = state
        (from_forget,) = products["forget"](hidden)
        forget = torch.sigmoid(x.forget + from_forget)
        (from_candidate,) = products["candidate"](forget * hidden)
        return (hidden + forget * (torch.tanh(x.candidate + from_candidate) - hidden),)
