"""The addition-subtraction twin-gated recurrent unit."""

from __future__ import annotations

from typing import Any

import torch

from nmt_lstm import GatedCell, State

__all__ = ["ATR"]


class ATR(GatedCell):
    r"""Addition-subtraction twin-gated recurrent unit: two gates from one product of input and state each; a quarter of an LSTM's cost.

    Equations::

        input  p = W x + b
        past   q = U h + d
        input  i = sigmoid(p + q)
        forget f = sigmoid(p - q)
        hidden h' = i * p + f * h

    Source: Zhang et al. 2018, "Simplifying Neural Machine Translation with Addition-Subtraction Twin-Gated Recurrent
    Networks".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
    """

    gates = ("twin",)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden,)."""
        input_gate, forget = torch.sigmoid(x.twin + h.twin), torch.sigmoid(x.twin - h.twin)
        return (input_gate * x.twin + forget * state[0],)
