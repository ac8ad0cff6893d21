"""The LSTM with an exponential input gate."""

from __future__ import annotations

from typing import Any, Literal

import torch

from nmt_lstm import GatedCell, State
from nmt_lstm_exponential.log_sigmoid import log_sigmoid

__all__ = ["SLSTM"]


class SLSTM(GatedCell):
    r"""sLSTM: an LSTM whose exponential input gate can overrule everything stored before; as many products as an LSTM.

    Equations, with pre-activations v_k = W_k x + U_k h + b_k::

        log f = log sigmoid(v_f)          (or v_f: an exponential forget gate)
        maximum    m' = max(log f + m, v_i)
        input      i = exp(v_i - m')
        forget     g = exp(log f + m - m')
        cell       c' = g * c + i * tanh(v_z)
        normaliser n' = g * n + i
        hidden     h' = sigmoid(v_o) * c' / n'

    m only keeps the exponentials in range: c and n stand for c exp(m) and n exp(m). At the start n is 1 and m is 0, so that
    the bridge's projection of the source counts as one observation and n never falls below 1.

    Source: Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory", with one head.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the states.
        forget_gate: "sigmoid" or "exponential".
        forget_bias: initial bias of the forget gate.
    """

    gates = ("input", "forget", "candidate", "output")
    state = ("hidden", "cell", "normaliser", "maximum")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_gate: Literal["sigmoid", "exponential"] = "sigmoid",
        forget_bias: float = 3.0,
    ) -> None:
        super().__init__(input_size, hidden_size, initial_biases={"forget": forget_bias})
        self.forget_gate = forget_gate

    @property
    def bridge_sizes(self) -> dict[str, int]:
        """The hidden and the cell state."""
        return {"hidden": self.hidden_size, "cell": self.hidden_size}

    def bridged_state(self, projected: State) -> State:
        """Return the state after one observation, the bridge's projection."""
        hidden, cell = projected
        return hidden, cell, torch.ones_like(cell), torch.zeros_like(cell)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return (hidden, cell, normaliser, maximum)."""
        _, cell, normaliser, maximum = state
        raw_input, raw_forget = x.input + h.input, x.forget + h.forget
        log_forget = maximum + (log_sigmoid(raw_forget) if self.forget_gate == "sigmoid" else raw_forget)
        maximum = torch.maximum(log_forget, raw_input)
        input_gate, forget = torch.exp(raw_input - maximum), torch.exp(log_forget - maximum)
        cell = forget * cell + input_gate * torch.tanh(x.candidate + h.candidate)
        normaliser = forget * normaliser + input_gate
        return torch.sigmoid(x.output + h.output) * cell / normaliser, cell, normaliser, maximum
