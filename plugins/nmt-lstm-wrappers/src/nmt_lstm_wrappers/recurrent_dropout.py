"""Dropout on the input of the recurrent product, the same at every position."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nmt_lstm import Cell, GatedCell, State, check_sequence
from nmt_lstm_wrappers.wrapper import Wrapper, bernoulli, check_rate

__all__ = ["RecurrentDropout"]


class RecurrentDropout(Wrapper):
    r"""Variational dropout on any cell's recurrence, one mask for all positions of a sentence; against overfitting.

    Equations, in training::

        m drawn once per sentence and unit, 1 / (1 - rate) with probability 1 - rate, else 0
        the inner cell gets m * h in place of h

    In a gated cell the mask acts only on the recurrent product, so that its memory is not dropped; in any other cell it
    acts on the first state.

    Source: Gal and Ghahramani 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks"; the
    memory is not dropped, as in Semeniuta et al. 2016, "Recurrent Dropout without Memory Loss".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        cell: the inner cell: a registered name, or package.module:Class.
        cell_options: options of its constructor.
        rate: share of the units that are dropped.

    Raises:
        ValueError: the rate is not below 1, or the inner cell has no recurrent product.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        cell: str = "lstm",
        cell_options: dict[str, Any] | None = None,
        rate: float = 0.2,
    ) -> None:
        super().__init__(input_size, hidden_size, cell=cell, cell_options=cell_options)
        check_rate("rate", rate)
        if isinstance(self.cell, GatedCell) and not self.cell.recurrent:
            raise ValueError(
                f"cell '{cell}' has no recurrent product on which to apply dropout; use zoneout."
            )
        self.rate = rate

    @property
    def state_sizes(self) -> dict[str, int]:
        """The state of the inner cell, and the mask."""
        sizes = self.cell.state_sizes
        return {**sizes, "dropout_mask": next(iter(sizes.values()))}

    def bridged_state(self, projected: State) -> State:
        """Return the initial state of the inner cell and a mask, which in training is drawn here, once for a sentence."""
        state = self.cell.bridged_state(projected)
        like = next(self.parameters())
        if not self.training:
            return (*state, torch.ones_like(state[0], dtype=like.dtype))
        return (*state, bernoulli(tuple(state[0].shape), 1.0 - self.rate, like) / (1.0 - self.rate))

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position."""
        *inner, mask = state
        if not self.training:
            output, new = self.cell.step(inputs, tuple(inner))
        elif isinstance(self.cell, GatedCell):
            output, new = self.cell.step_by(self.cell.recurrence(recurrent_mask=mask), inputs, tuple(inner))
        else:
            output, new = self.cell.step(inputs, (inner[0] * mask, *inner[1:]))
        return output, (*new, mask)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence; a gated cell unrolled, any other step by step in training."""
        *inner, mask = state
        if not self.training:
            outputs, last = self.cell(inputs, tuple(inner))
            return outputs, (*last, mask)
        if not isinstance(self.cell, GatedCell):
            return Cell.forward(self, inputs, state)
        check_sequence(self, inputs)
        recurrence = self.cell.recurrence(recurrent_mask=mask)
        outputs, last = self.cell.unroll_by(recurrence, inputs, tuple(inner))
        return outputs, (*last, mask)
