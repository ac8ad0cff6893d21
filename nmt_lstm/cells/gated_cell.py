"""The base of nearly every cell: its author names the gates and writes one pointwise function."""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State, check_sequence
from nmt_lstm.cells.sweep import sweep, update_rows
from nmt_lstm.numerics.linear import linear

__all__ = ["GatedCell"]


class GatedCell(Cell):
    """A cell given by its gates and one pointwise `update`.

    The base owns the parameters, in PyTorch's layout and gate order (so weights of `torch.nn.LSTM` and its like load
    unchanged): ``weight_ih`` (G*H, input_size), ``weight_hh`` (G*H, H), ``bias_ih`` and ``bias_hh`` (G*H,) for G gates.
    From `update` it derives the sequence, the step and the gradients (see `nmt_lstm.cells.sweep`).
    A subclass may add parameters of its own and use them in `update`.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state and of each gate.
    """

    gates: ClassVar[tuple[str, ...]]
    """Names of the gates, in the order of their rows in the weights."""
    state: ClassVar[tuple[str, ...]] = ("hidden",)
    """Names of the state's tensors; the first one enters the recurrent product and is the output."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        rows = len(self.gates) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        self.bias_hh = nn.Parameter(torch.empty(rows))
        self.reset_parameters()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        names = cls.__dict__.get("gates")
        if names is not None:
            cls._gate_tuple = namedtuple("Gates", names)  # type: ignore[misc]  # noqa: PYI024 (names are the author's)

    _gate_tuple: ClassVar[Any]

    def reset_parameters(self) -> None:
        """Draw the weights: each gate Xavier uniform (Glorot and Bengio 2010) from the input, orthogonal (Saxe et al. 2014) from history; biases 0, forget gates 1 (Jozefowicz et al. 2015)."""
        hidden = self.hidden_size
        bound = math.sqrt(6.0 / (self.input_size + hidden))
        nn.init.uniform_(self.weight_ih, -bound, bound)
        with torch.no_grad():
            for block in self.weight_hh.split(hidden):
                nn.init.orthogonal_(block)
            nn.init.zeros_(self.bias_ih)
            nn.init.zeros_(self.bias_hh)
            for name, block in zip(self.gates, self.bias_ih.split(hidden), strict=True):
                if name == "forget":
                    block.fill_(1.0)

    @property
    def state_sizes(self) -> dict[str, int]:
        """Each state tensor has the hidden width."""
        return dict.fromkeys(self.state, self.hidden_size)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        # torch.nn.LSTM and its like number their layers: weight_ih_l0.
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            if f"{prefix}{name}_l0" in state_dict:
                state_dict[f"{prefix}{name}"] = state_dict.pop(f"{prefix}{name}_l0")
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return the new state; pure and pointwise.

        Args:
            x: the gates' pre-activations from the input, by name (``x.forget``), each (B, H).
            h: the same from history.
            state: the old state, each (B, H).
        """
        raise TypeError(f"{type(self).__name__} does not define update(x, h, state).")

    def _update_rows(self, x: Tensor, h: Tensor, state: State) -> State:
        size = len(self.gates)
        return self.update(self._gate_tuple(*x.chunk(size, -1)), self._gate_tuple(*h.chunk(size, -1)), state)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position: (B, input_size) to (B, H)."""
        from_input = linear(inputs, self.weight_ih, self.bias_ih)
        from_history = linear(state[0], self.weight_hh, self.bias_hh)
        new = update_rows(self._update_rows, from_input, from_history, state)
        return new[0], new

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        return self.sweep(inputs, state)

    def sweep(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence by the sweep, also where `forward` has a fused kernel."""
        own = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}
        extra = [parameter for name, parameter in self.named_parameters() if name not in own]
        from_input = linear(inputs, self.weight_ih, self.bias_ih)
        return sweep(self._update_rows, from_input, self.weight_hh, self.bias_hh, state, extra)
