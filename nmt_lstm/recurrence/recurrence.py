"""What is repeated along a sequence: a pointwise update with what belongs to it, and how it is called on rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from nmt_lstm.numerics.pointwise import by_rows

__all__ = ["Recurrence", "State", "Tensors", "Update", "cut_gates", "update_type"]

Tensors = tuple[Tensor, ...]

State: TypeAlias = tuple[Tensor, ...]
"""What a cell, or a recurrent attention, carries from step to step: always a tuple of tensors, (rows, width) each."""

Update: TypeAlias = Callable[[Tensors, Tensors, State, Tensors], tuple[Tensor, State]]
"""A pointwise function of one step: of each gate's pre-activation from the input, the same from the first state, the state and this
step's noise, each (rows, width); returns the output (rows, H) and the new state."""


class Recurrence(NamedTuple):
    """An update and what belongs to it."""

    update: Update
    """The pointwise function; its first state enters the recurrent product."""
    noise: Tensors = ()
    """Tensors (T, B, any width) that `update` gets step by step."""
    recurrent_mask: Tensor | None = None
    """(B, H), what the first state is multiplied with before the recurrent product."""

    def recurrent_input(self, state: State, dtype: torch.dtype) -> Tensor:
        """Return what enters the recurrent product, (B, H), in the products' format."""
        return (state[0] if self.recurrent_mask is None else state[0] * self.recurrent_mask).to(dtype)

    def noise_at(self, step: int) -> Tensors:
        """Return the noise of one step, each (B, any width)."""
        return tuple(part[step] for part in self.noise)

    def rows(self, x: Tensors, h: Tensors, state: State, noise: Tensors) -> tuple[Tensor, State]:
        """Return output and new state; without gradients a row's bits do not depend on the number of rows.

        Args:
            x: the gates' pre-activations from the input, each (B, H).
            h: the same from the first state; empty without a recurrent product.
            state: the old state, each (B, H).
            noise: of this step.
        """
        if torch.is_grad_enabled():
            return self.update(x, h, state, noise)
        ends = len(x), len(x) + len(h), len(x) + len(h) + len(state)

        def flat(parts: Tensors) -> Tensors:
            cut = parts[: ends[0]], parts[ends[0] : ends[1]], parts[ends[1] : ends[2]], parts[ends[2] :]
            output, new = self.update(*cut)
            return (output, *new)

        output, *new = by_rows(flat, (*x, *h, *state, *noise), state[0].shape[1])
        return output, tuple(new)


def update_type(dtype: torch.dtype) -> torch.dtype:
    """Return the number format of updates and states where products are in `dtype`."""
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype


def cut_gates(parts: Sequence[Tensor], hidden: int) -> Tensors:
    """Cut tensors (B, n*H) into gates (B, H) in the update's format."""
    return tuple(gate for part in parts for gate in part.to(update_type(part.dtype)).split(hidden, -1))
