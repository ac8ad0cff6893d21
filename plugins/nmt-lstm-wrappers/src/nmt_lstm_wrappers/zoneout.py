"""Zoneout: states that sometimes stay what they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from nmt_lstm import Cell, GatedCell, Recurrence, State, Update, check_sequence
from nmt_lstm_wrappers.wrapper import Wrapper, bernoulli, check_rate

__all__ = ["Zoneout"]


class Zoneout(Wrapper):
    r"""Zoneout of any cell: in training each unit of the state keeps its old value now and then; against overfitting.

    Equations, with the new state s' of the cell inside::

        in training    s' <- m * s + (1 - m) * s',   m drawn for each unit and position, 1 with probability rate
        otherwise      s' <- rate * s + (1 - rate) * s'

    Source: Krueger et al. 2017, "Zoneout: Regularizing RNNs by Randomly Preserving Hidden Activations".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        cell: the cell inside: a registered name, or package.module:Class.
        cell_options: options of its constructor.
        rate: probability for the first state, an LSTM's hidden state.
        other_rate: the same for all other states, such as an LSTM's cell state; the same as `rate` if left out.
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
        new_parts = self._new_parts((1,), state)
        if isinstance(self.cell, GatedCell):
            return self.cell.step_by(self._recurrence(self.cell, new_parts), inputs, state)
        output, new = self.cell.step(inputs, state)
        return self._mixed(output, new, state, tuple(part[0] for part in new_parts))

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence; a gated cell unrolled, any other step by step."""
        if not isinstance(self.cell, GatedCell):
            return Cell.forward(self, inputs, state)
        check_sequence(self, inputs)
        new_parts = self._new_parts((inputs.shape[1],), state)
        return self.cell.unroll_by(self._recurrence(self.cell, new_parts), inputs, state)

    def _new_parts(self, steps: tuple[int], state: State) -> State:
        """Return where each state takes its new value, (T, B, width) each; nothing outside of training."""
        if not self.training:
            return ()
        return tuple(
            bernoulli((*steps, *part.shape), share, next(self.parameters()))
            for part, share in zip(state, self.shares, strict=True)
        )

    def _recurrence(self, cell: GatedCell, new_parts: State) -> Recurrence:
        def around(update: Update) -> Update:
            def zoned(x: State, h: State, state: State, noise: State) -> tuple[Tensor, State]:
                output, new = update(x, h, state, ())
                return self._mixed(output, new, state, noise)

            return zoned

        return cell.recurrence(around, noise=new_parts)

    def _mixed(self, output: Tensor, new: State, state: State, new_parts: State) -> tuple[Tensor, State]:
        shares: Sequence[Tensor | float] = new_parts or self.shares
        mixed = tuple(
            old + (fresh - old) * share for old, fresh, share in zip(state, new, shares, strict=True)
        )
        return mixed[0] if self.output_is_state else output, mixed
