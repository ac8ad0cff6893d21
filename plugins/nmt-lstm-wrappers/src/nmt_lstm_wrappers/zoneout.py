"""Zoneout: units of the state that sometimes keep their old value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from nmt_lstm import Cell, GatedCell, Recurrence, State, Update, check_sequence
from nmt_lstm_wrappers.wrapper import Wrapper, bernoulli, check_rate

__all__ = ["Zoneout"]


class Zoneout(Wrapper):
    r"""Zoneout around any cell: in training each unit of the state sometimes keeps its old value; against overfitting.

    Equations, with the new state s' of the inner cell::

        in training    s' <- m * s + (1 - m) * s',   m drawn for each unit and position, 1 with probability rate
        otherwise      s' <- rate * s + (1 - rate) * s'

    Source: Krueger et al. 2017, "Zoneout: Regularizing RNNs by Randomly Preserving Hidden Activations".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        cell: the inner cell: a registered name, or package.module:Class.
        cell_options: options of its constructor.
        rate: probability for the first state, an LSTM's hidden state.
        other_rate: probability for all other states, such as an LSTM's cell state; by default `rate`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        cell: str = "lstm",
        cell_options: dict[str, Any] | None = None,
        rate: float = 0.1,
        other_rate: float | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, cell=cell, cell_options=cell_options)
        other_rate = rate if other_rate is None else other_rate
        check_rate("rate", rate)
        check_rate("other_rate", other_rate)
        count = len(self.cell.state_sizes)
        self.shares = [1.0 - rate, *[1.0 - other_rate] * (count - 1)]

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position."""
        masks = self._update_masks((1,), state)
        if isinstance(self.cell, GatedCell):
            return self.cell.step_by(self._recurrence(self.cell, masks), inputs, state)
        output, new = self.cell.step(inputs, state)
        return self._mix(output, new, state, tuple(mask[0] for mask in masks))

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence; a gated cell unrolled, any other step by step."""
        if not isinstance(self.cell, GatedCell):
            return Cell.forward(self, inputs, state)
        check_sequence(self, inputs)
        masks = self._update_masks((inputs.shape[1],), state)
        return self.cell.unroll_by(self._recurrence(self.cell, masks), inputs, state)

    def _update_masks(self, steps: tuple[int], state: State) -> State:
        """Return masks (T, B, width) that are 1 where a state gets its new value; none outside training."""
        if not self.training:
            return ()
        return tuple(
            bernoulli((*steps, *tensor.shape), share, next(self.parameters()))
            for tensor, share in zip(state, self.shares, strict=True)
        )

    def _recurrence(self, cell: GatedCell, masks: State) -> Recurrence:
        def with_zoneout(update: Update) -> Update:
            def update_with_zoneout(x: State, h: State, state: State, noise: State) -> tuple[Tensor, State]:
                output, new = update(x, h, state, ())
                return self._mix(output, new, state, noise)

            return update_with_zoneout

        return cell.recurrence(with_zoneout, noise=masks)

    def _mix(self, output: Tensor, new: State, state: State, masks: State) -> tuple[Tensor, State]:
        """Return output and state, with each new state's share given by its mask, or by the rates outside training."""
        shares: Sequence[Tensor | float] = masks or self.shares
        mixed = tuple(
            old + (updated - old) * share for old, updated, share in zip(state, new, shares, strict=True)
        )
        return mixed[0] if self.output_is_state else output, mixed
