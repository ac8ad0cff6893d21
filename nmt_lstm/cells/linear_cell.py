"""The base of cells whose state is a linear recurrence with factors that depend only on the inputs."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from nmt_lstm.cells.cell import State, check_sequence
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.gates import checked_pair
from nmt_lstm.errors import MissingMethodError
from nmt_lstm.recurrence.linear_scan import linear_recurrence
from nmt_lstm.recurrence.recurrence import split_gates

__all__ = ["LinearCell"]


class LinearCell(GatedCell):
    """A cell whose state follows s' = decay * s + addition, both functions of the gates' pre-activations from the input.

    Its author writes `coefficients` and, if the output is not the state, `output`; both are pointwise. Defining `output`
    sets `output_is_state` to False. On a GPU a whole sequence is computed for all positions at once
    (see `linear_recurrence`); on a processor the unrolled loop does the same step by step, with the tensors of a step in
    the cache.
    """

    recurrent: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.output is LinearCell.output:
            return
        # Only classes before LinearCell in the order of resolution are the author's.
        own = cls.__mro__[: cls.__mro__.index(LinearCell)]
        declared = [kind.__dict__["output_is_state"] for kind in own if "output_is_state" in kind.__dict__]
        if declared and declared[0]:
            raise TypeError(
                f"{cls.__name__} defines output(x, state), but with output_is_state = True it would not be used; remove one "
                f"of the two."
            )
        cls.output_is_state = False

    def coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        """Return decay and addition; pure and pointwise.

        Args:
            x: the gates' pre-activations from the input, by name, each (..., H).
        """
        raise MissingMethodError(self, "does not define coefficients(x)")

    def output(self, x: Any, state: Tensor) -> Tensor:
        """Return the output (..., H) of a position; pure and pointwise. Without this method the output is the new state.

        Args:
            x: the gates' pre-activations from the input, by name, each (..., H).
            state: the new state, (..., H).
        """
        raise MissingMethodError(self, "has output_is_state = False, but does not define output(x, state)")

    def _coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        return checked_pair(self, "coefficients", self.coefficients(x), "return decay, addition")

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return the new state (B, H), after the output if that is not the state."""
        decay, addition = self._coefficients(x)
        new_state = decay * state[0] + addition
        return (new_state,) if self.output_is_state else (self.output(x, new_state), new_state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        return self.unroll(inputs, state) if inputs.device.type == "cpu" else self.scan(inputs, state)

    def scan(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process all positions of a sequence in parallel: (B, T, input_size) to (B, T, H)."""
        # Tensors (T, B, n*H); pointwise functions work with time first as well.
        from_input = self.from_input(inputs.transpose(0, 1))
        dtype = from_input[0].dtype
        with torch.autocast(inputs.device.type, enabled=False):
            x = self._gate_tuple(*split_gates(from_input, self.hidden_size))
            decay, addition = self._coefficients(x)
            # s_t = decay_t * s_(t-1) + addition_t, (T, B, H), in float32 at least: rounding errors would add up.
            states = linear_recurrence(decay, addition, state[0].to(decay.dtype))
            outputs = states if self.output_is_state else self.output(x, states)
        return outputs.to(dtype).transpose(0, 1), (states[-1],)
