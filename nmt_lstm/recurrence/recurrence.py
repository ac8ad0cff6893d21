"""What is repeated along a sequence: a pointwise update with its noise and mask, applied row by row."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from nmt_lstm.numerics.pointwise import by_rows

__all__ = ["Recurrence", "State", "Tensors", "Update", "split_gates", "update_dtype"]

Tensors = tuple[Tensor, ...]

State: TypeAlias = tuple[Tensor, ...]
"""What a cell or a recurrent attention carries from step to step: always a tuple of tensors, (rows, width) each."""

Update: TypeAlias = Callable[[Tensors, Tensors, State, Tensors], tuple[Tensor, State]]
"""A pointwise function of one step. Its arguments, each tuples of (rows, width): the gates' pre-activations from the input,
those from the first state, the state, and the step's noise. It returns the output (rows, H) and the new state."""


class Recurrence(NamedTuple):
    """An update, its noise and its mask."""

    update: Update
    """The pointwise function; its first state enters the recurrent product."""
    noise: Tensors = ()
    """Tensors (T, B, any width), of which `update` receives one position at each step."""
    recurrent_mask: Tensor | None = None
    """(B, H), multiplied with the first state before the recurrent product."""

    def recurrent_input(self, state: State, dtype: torch.dtype) -> Tensor:
        """Return the recurrent product's input (B, H), in the products' dtype."""
        return (state[0] if self.recurrent_mask is None else state[0] * self.recurrent_mask).to(dtype)

    def noise_at(self, step: int) -> Tensors:
        """Return the noise of one step, each (B, any width)."""
        return tuple(tensor[step] for tensor in self.noise)

    def step(self, x: Tensors, h: Tensors, state: State, noise: Tensors) -> tuple[Tensor, State]:
        """Return output and new state, each (B, H); without gradients a row's bits do not depend on the number of rows.

        Args:
            x: the gates' pre-activations from the input, each (B, H).
            h: the pre-activations from the first state, each (B, H); empty without a recurrent product.
            state: the old state, each (B, H).
            noise: of this step, each (B, any width).
        """
        if torch.is_grad_enabled():
            return self.update(x, h, state, noise)
        x_end, h_end, state_end = itertools.accumulate((len(x), len(h), len(state)))

        # `by_rows` splits and pads one flat tuple of tensors, so the arguments are joined and separated again.
        def flat_update(tensors: Tensors) -> Tensors:
            x, h = tensors[:x_end], tensors[x_end:h_end]
            output, new_state = self.update(x, h, tensors[h_end:state_end], tensors[state_end:])
            return (output, *new_state)

        output, *new_state = by_rows(flat_update, (*x, *h, *state, *noise), state[0].shape[1])
        return output, tuple(new_state)


def update_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype of updates and states for products in `dtype`: float32 for bf16 and fp16, otherwise the same."""
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype


def split_gates(products: Sequence[Tensor], hidden_size: int) -> Tensors:
    """Split tensors (..., n*H) into gates (..., H) in the update's dtype."""
    return tuple(
        gate for tensor in products for gate in tensor.to(update_dtype(tensor.dtype)).split(hidden_size, -1)
    )
