"""The unrolled loop with gradients on a processor: the update and its gradient recorded once, and replayed at each step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from nmt_lstm.numerics.packed import repeated_product
from nmt_lstm.numerics.sequence_linear import summed_gradients
from nmt_lstm.recurrence.recorded_update import Replay
from nmt_lstm.recurrence.recurrence import Recurrence

__all__ = ["RecordedUnroll"]


class RecordedUnroll(torch.autograd.Function):
    """The differentiable loop; see `nmt_lstm.recurrence.unroll`."""

    @staticmethod
    def forward(ctx, recurrence, replay, counts, weight, bias, *tensors):  # type: ignore[no-untyped-def]
        """Take the whole sequence; `counts` are those of tensors from the input and of states."""
        from_input, first = tensors[: counts[0]], tensors[counts[0] : sum(counts)]
        length, rows, _ = from_input[0].shape
        dtype, hidden = from_input[0].dtype, first[0].shape[1]
        # What enters the recurrent product is the output before, unless the cell or a mask says otherwise.
        direct = weight is not None and not replay.apart and recurrence.history_mask is None
        fed = from_input[0].new_empty(length + 1 if weight is not None else 0, rows, hidden)
        outputs = fed[1:] if direct else from_input[0].new_empty(length, rows, hidden)
        used = replay.forward.used | replay.backward.used
        stores = [
            part.new_empty(length + 1 if replay.gates + number in used else 1, rows, hidden)
            for number, part in enumerate(first)
        ]
        for store, part in zip(stores, first, strict=True):
            store[0] = part
        if direct:
            fed[0] = first[0]
        if weight is not None:
            product = repeated_product(weight, bias, rows=rows, times=length, added=replay.summed)
            near = torch.empty_like(from_input[0][0])
        taken = _Taken(replay, recurrence, from_input, stores)
        history: list[Tensor] = []
        for t in range(length):
            if weight is not None:
                if not direct:
                    fed[t] = recurrence.fed(tuple(taken.states(t)), dtype)
                if replay.summed:
                    # The product adds row by row of its blocks, which is slow from memory far away.
                    near.copy_(from_input[0][t])
                    history.append(product(fed[t], near))
                else:
                    history.append(product(fed[t]))
            replay.forward.run(taken.at(t, history), [outputs[t], *taken.states(t + 1)])
        ctx.recurrence, ctx.replay, ctx.counts = recurrence, replay, counts
        ctx.widths = [part.shape[-1] for part in from_input]
        ctx.needs = [tensor.requires_grad for tensor in tensors[sum(counts) :]]
        ctx.save_for_backward(weight, fed, *stores, *history, *(() if replay.summed else from_input))
        return (outputs, *(store[-1].clone() for store in stores))

    @staticmethod
    def backward(ctx, for_outputs, *for_last):  # type: ignore[no-untyped-def]
        """Return the gradients of all that `forward` took."""
        recurrence, replay, parts = ctx.recurrence, ctx.replay, ctx.counts[1]
        weight, fed, *saved = ctx.saved_tensors
        length, rows, hidden = for_outputs.shape
        stores, saved = saved[:parts], saved[parts:]
        count = length if weight is not None else 0
        history, from_input = saved[:count], saved[count:]
        for_input = [for_outputs.new_empty(length, rows, width) for width in ctx.widths]
        if weight is not None:
            for_history = (
                for_outputs.new_empty(length, rows, weight.shape[0]) if not replay.summed else for_input[0]
            )
            product = repeated_product(weight.t(), rows=rows, times=length)
        for_state = [part.clone() for part in for_last]
        for_previous = [torch.empty_like(part) for part in for_last]
        # Another sequence may have been taken since.
        replay.allocate(rows)
        for total in replay.totals:
            total.zero_()
        taken = _Taken(replay, recurrence, from_input, stores)
        for_gates = for_input if weight is None or replay.summed else [*for_input, for_history]
        # Of the first state's gradient, what is not from the product; an LSTM's has nothing else.
        first = replay.gates if weight is not None else -1
        for t, above in reversed(list(enumerate(for_outputs.unbind()))):
            seeds = for_state
            if replay.apart:
                seeds = [above.to(for_state[0].dtype), *for_state]
            else:
                for_state[0].add_(above)
            places = [*_gates((part[t] for part in for_gates), hidden), *for_previous]
            replay.backward.run([*taken.at(t, history), *seeds], places)
            for number in replay.zero - {first}:
                places[number].zero_()
            if weight is not None:
                back = product(for_history[t])
                mask = recurrence.history_mask
                back = back if mask is None else back * mask
                for_previous[0].copy_(back) if first in replay.zero else for_previous[0].add_(back)
            for_state, for_previous = for_previous, for_state
        for_weight = for_bias = None
        if weight is not None:
            flat = for_history.flatten(0, 1)
            for_weight, for_bias = summed_gradients(flat, fed[:length].flatten(0, 1))
        for_extra = [
            total.clone() if needs else None for total, needs in zip(replay.totals, ctx.needs, strict=True)
        ]
        return (None, None, None, for_weight, for_bias, *for_input, *for_state, *for_extra)


class _Taken:
    """What both programs take, step by step."""

    def __init__(
        self, replay: Replay, recurrence: Recurrence, from_input: Sequence[Tensor], stores: Sequence[Tensor]
    ) -> None:
        self._recurrence = recurrence
        self._from_input = () if replay.summed else from_input
        self._states = [store.unbind() for store in stores]
        self._hidden = stores[0].shape[-1]

    def at(self, step: int, history: Sequence[Tensor]) -> list[Tensor]:
        """Return the gates of the input and of history's products, the states, and the noise."""
        parts = [*(part[step] for part in self._from_input), *history[step : step + 1]]
        return [*_gates(parts, self._hidden), *self.states(step), *self._recurrence.noise_at(step)]

    def states(self, step: int) -> list[Tensor]:
        """Return the states at a step; of one that nothing depends on, only the last is kept."""
        return [parts[min(step, len(parts) - 1)] for parts in self._states]


def _gates(tensors: Iterable[Tensor], hidden: int) -> list[Tensor]:
    """Cut tensors (B, n*H) into gates (B, H)."""
    return [gate for tensor in tensors for gate in tensor.split(hidden, -1)]
