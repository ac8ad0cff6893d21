"""The layer-normalised GRU."""

from __future__ import annotations

from typing import Any

import torch

from nmt_lstm import State
from nmt_lstm_gated.normalised_gates import NormalisedGates

__all__ = ["LayerNormGRU"]


class LayerNormGRU(NormalisedGates):
    r"""GRU with layer normalisation of each gate; for deep stacks and unstable training.

    Equations, N_k being (v - mean v) / sqrt(var v + epsilon) times a learned gain, over the hidden width::

        reset     r = sigmoid(N_1(W_r x + b_r) + N_2(U_r h + d_r) + s_r)
        update    z = sigmoid(N_3(W_z x + b_z) + N_4(U_z h + d_z) + s_z)
        candidate n = tanh(N_5(W_n x + b_n) + r * N_6(U_n h + d_n) + s_n)
        hidden    h' = (1 - z) * n + z * h

    Source: Ba et al. 2016, "Layer Normalization", on cuDNN's variant of the GRU.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        epsilon: added to the variance.
    """

    gates = ("reset", "update", "candidate")

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden,)."""
        (hidden,) = state
        h = self.normalised_recurrent(h)
        candidate = torch.tanh(x.candidate + torch.sigmoid(x.reset + h.reset) * h.candidate)
        return (candidate + torch.sigmoid(x.update + h.update) * (hidden - candidate),)
