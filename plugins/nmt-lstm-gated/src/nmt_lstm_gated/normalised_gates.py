"""The base of layer-normalised cells: each gate's two pre-activations are normalised separately."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm import GatedCell

__all__ = ["NormalisedGates"]


class NormalisedGates(GatedCell):
    """A gated cell that normalises each gate's products over the hidden width, those from the input for all positions at once.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the states.
        epsilon: added to the variance.
    """

    def __init__(self, input_size: int, hidden_size: int, *, epsilon: float = 1e-5) -> None:
        super().__init__(input_size, hidden_size)
        self.epsilon = epsilon
        gates = len(self.gates)
        self.input_gain = nn.Parameter(torch.ones(gates, hidden_size))
        self.history_gain = nn.Parameter(torch.ones(gates, hidden_size))
        self.shift = nn.Parameter(torch.zeros(gates, hidden_size))

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        super().reset_parameters()
        if "shift" in self._parameters:  # not when the base's constructor calls this
            nn.init.ones_(self.input_gain)
            nn.init.ones_(self.history_gain)
            nn.init.zeros_(self.shift)

    def normalised(self, values: Tensor, gain: Tensor | None = None) -> Tensor:
        """Return (..., H) normalised over H, times `gain`."""
        return functional.layer_norm(values, (self.hidden_size,), gain, eps=self.epsilon)

    def from_input(self, inputs: Tensor) -> list[Tensor]:
        """Return the normalised and shifted pre-activations (..., G*H) from the input."""
        (products,) = super().from_input(inputs)
        with torch.autocast(inputs.device.type, enabled=False):
            gates = products.unflatten(-1, (len(self.gates), self.hidden_size))
            gates = gates.float() if products.dtype == torch.bfloat16 else gates
            shifted = self.normalised(gates) * self.input_gain + self.shift
        return [shifted.flatten(-2).to(products.dtype)]

    def normalised_recurrent(self, h: Any) -> Any:
        """Return the normalised pre-activations (B, H) from the state, by the names of the gates."""
        return type(h)(
            *(self.normalised(gate, gain) for gate, gain in zip(h, self.history_gain, strict=True))
        )
