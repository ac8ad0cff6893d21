"""The rectified recurrent network that starts as the identity."""

from __future__ import annotations

from typing import Any

import torch

from nmt_lstm import GatedCell, State

__all__ = ["IRNN"]


class IRNN(GatedCell):
    r"""Recurrent network of rectified units whose recurrent weights start as the identity; no gates, yet it remembers.

    Equations::

        hidden h' = relu(W x + b + U h + d),   U = scale * identity at the start

    Source: Le et al. 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        scale: of the identity that the recurrent weights start as; below 1 it forgets.
    """

    gates = ("candidate",)

    def __init__(self, input_size: int, hidden_size: int, *, scale: float = 1.0) -> None:
        self.scale = scale  # needed by the base, which draws the weights
        super().__init__(input_size, hidden_size)

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        super().reset_parameters()
        with torch.no_grad():
            self.weight_hh.copy_(self.scale * torch.eye(self.hidden_size))
            # The paper's: small input weights, since nothing limits what is added up.
            self.weight_ih.normal_(std=0.001)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden,)."""
        return (torch.relu(x.candidate + h.candidate),)
