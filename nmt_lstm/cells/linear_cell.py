"""The base of cells whose state is a linear recurrence: its factors depend on the inputs alone."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from nmt_lstm.cells.cell import State, check_sequence
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.gates import checked_pair
from nmt_lstm.errors import MissingMethodError
from nmt_lstm.recurrence.linear_scan import linear_recurrence
from nmt_lstm.recurrence.recurrence import cut_gates

__all__ = ["LinearCell"]


class LinearCell(GatedCell):
    """A cell of which the state follows s' = decay * s + addition, both functions of the inputs' gates.

    Its author writes `coefficients` and, if the output is not the state, `output`; both are pointwise. A class that
    defines `output` has `output_is_state = False` by that. On a GPU a whole sequence is computed for all positions at once
    (see `linear_recurrence`); on a processor the unrolled loop does the same step by step, with the tensors of a step in
    the cache.
    """

    recurrent: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.output is LinearCell.output:
            return
        # What LinearCell and its bases say is the default; what comes before them is what the author says.
        own = cls.__mro__[: cls.__mro__.index(LinearCell)]
        said = [kind.__dict__["output_is_state"] for kind in own if "output_is_state" in kind.__dict__]
        if said and said[0]:
            raise TypeError(
                f"{cls.__name__} defines output(x, state), but says output_is_state = True, which would leave that unused; "
                f"remove one of them."
            )
        cls.output_is_state = False

    def coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        """Return decay and addition; pure and pointwise.

        Args:
            x: the gates' pre-activations from the input, by name, each (..., H).
        """
        raise MissingMethodError(self, "does not define coefficients(x)")

    def output(self, x: Any, state: Tensor) -> Tensor:
        """Return the output of a position; pure and pointwise. Without this method the output is the new state.

        Args:
            x: the gates' pre-activations from the input, by name, each (..., H).
            state: the new state, (..., H).
        """
        raise MissingMethodError(self, "has an output that is no state, but does not define output(x, state)")

    def _coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        return checked_pair(self, "coefficients", self.coefficients(x), "return decay, addition")

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return the new state, and before it the output if that is different."""
        decay, addition = self._coefficients(x)
        # (B, H), as is everything here: no product reads the state.
        new = decay * state[0] + addition
        return (new,) if self.output_is_state else (self.output(x, new), new)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        return self.unroll(inputs, state) if inputs.device.type == "cpu" else self.scan(inputs, state)

    def scan(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence for all positions at once: (B, T, input_size) to (B, T, H)."""
        # Tensors (T, B, n*H): the pointwise functions do not mind that time comes first.
        parts = self.from_input(inputs.transpose(0, 1))
        dtype = parts[0].dtype
        with torch.autocast(inputs.device.type, enabled=False):
            x = self._gate_tuple(*cut_gates(parts, self.hidden_size))
            decay, addition = self._coefficients(x)
            # s_t = decay_t * s_(t-1) + addition_t, (T, B, H), in float32 at least: errors of rounding would add up.
            states = linear_recurrence(decay, addition, state[0].to(decay.dtype))
            outputs = states if self.output_is_state else self.output(x, states)
        return outputs.to(dtype).transpose(0, 1), (states[-1],)
