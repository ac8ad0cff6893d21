"""The recurrent network of rectified units that starts as the identity."""

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
        scale: factor of the identity at the start; below 1 the cell forgets.
    """

    gates = ("candidate",)

    def __init__(self, input_size: int, hidden_size: int, *, scale: float = 1.0) -> None:
        self.scale = scale  # the base's constructor needs it to draw the weights
        super().__init__(input_size, hidden_size)

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        super().reset_parameters()
        with torch.no_grad():
            self.weight_hh.copy_(self.scale * torch.eye(self.hidden_size))
            # Small input weights, as in the paper, since nothing limits the sum over time.
            self.weight_ih.normal_(std=0.001)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden,)."""
        return (torch.relu(x.candidate + h.candidate),)
