"""The sweep with gradients on a processor: the update and its gradient recorded once, and replayed at each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nmt_lstm.cells.recurrence import Recurrence, Tensors, leaves
from nmt_lstm.cells.tape import Program, Tape
from nmt_lstm.numerics.packed import repeated_product
from nmt_lstm.numerics.sequence_linear import summed_outer_product, summed_rows

__all__ = ["Replay", "TapedSweep", "record"]


class Replay(NamedTuple):
    """A recorded update as two programs.

    Forward takes gates, states and noise, and gives the output (unless that is the first state) and the new states.
    Backward takes besides the gradients of what forward gives, and gives those of the gates and the states.
    """

    forward: Program
    backward: Program
    gates: int
    """How many gates both take."""
    summed: bool
    """Whether each gate is one tensor, the sum of what comes from the input and what comes from history."""
    apart: bool
    """Whether the output is no state."""
    zero: frozenset[int]
    """Which gradients backward does not give, because they are zero."""
    totals: Tensors
    """Where the gradients of the parameters are summed up."""

    def given(
        self,
        recurrence: Recurrence,
        from_input: Sequence[Sequence[Tensor]],
        history: Sequence[Tensor],
        states: Sequence[Sequence[Tensor]],
        step: int,
    ) -> list[Tensor]:
        """Return what both programs take at a step: of the input's gates, of history's products, of the states."""
        gates = [] if self.summed else [gate[step] for gate in from_input]
        for product in history[step : step + 1]:
            gates += product.split(states[0][0].shape[-1], -1)
        return [*gates, *(_at(parts, step) for parts in states), *recurrence.noise_at(step)]


def record(
    recurrence: Recurrence, x_gates: int, h_gates: int, state: Sequence[Tensor], extra: Sequence[Tensor]
) -> Replay:
    """Record an update.

    Args:
        recurrence: the update.
        x_gates: how many gates come from the input.
        h_gates: how many come from history.
        state: tensors of the states' shapes, (B, H).
        extra: the parameters that the update uses.

    Raises:
        UntapeableError: the update changes tensors in place, draws random numbers, or looks at values.
    """
    gates, ends = x_gates + h_gates, x_gates + h_gates + len(state)
    samples = leaves([torch.full_like(state[0], 0.5) for _ in range(gates)])
    samples += leaves([torch.full_like(part, 0.5) for part in state])
    samples += tuple(part.clone() for part in recurrence.noise_at(0))
    apart = False

    def function(tensors: Tensors) -> Tensors:
        nonlocal apart
        cut = tensors[:x_gates], tensors[x_gates:gates], tensors[gates:ends], tensors[ends:]
        output, new = recurrence.update(*cut)
        apart = output is not new[0]
        return (output, *new) if apart else new

    tape = Tape(function, samples, extra)
    sums = tape.sums(range(x_gates), range(x_gates, gates)) if x_gates == h_gates else None
    # Through an addition the gradients of both parts are one.
    kept = range(gates) if sums is None else range(x_gates)
    order = [*(tape.inputs[:gates] if sums is None else sums), *tape.inputs[gates:]]
    sources = {place: number for number, place in enumerate(order)}
    seeded = sources | {place: len(order) + n for n, place in enumerate(tape.seeds) if place is not None}
    wanted = [*(tape.gradients[number] for number in kept), *tape.gradients[gates:ends]]
    totals = tuple(torch.zeros_like(tensor) for tensor in extra)
    of_extra = zip(tape.gradients[len(samples) :], totals, strict=True)
    return Replay(
        forward=Program(tape, sources, [(place, number) for number, place in enumerate(tape.results)]),
        backward=Program(
            tape,
            seeded,
            [(place, number) for number, place in enumerate(wanted) if place is not None],
            [(place, total) for place, total in of_extra if place is not None],
        ),
        gates=len(kept),
        summed=sums is not None,
        apart=apart,
        zero=frozenset(number for number, place in enumerate(wanted) if place is None),
        totals=totals,
    )


class TapedSweep(torch.autograd.Function):
    """The differentiable sweep; see `nmt_lstm.cells.sweep`."""

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
        history: list[Tensor] = []
        # Views of every step are made at once.
        gates, states, outs = (
            _steps(from_input, hidden),
            [store.unbind() for store in stores],
            outputs.unbind(),
        )
        if weight is not None:
            product = repeated_product(weight, bias, rows=rows, times=length, added=replay.summed)
        for t in range(length):
            if weight is not None:
                if not direct:
                    fed[t] = recurrence.fed((_at(states[0], t),), dtype)
                history.append(product(fed[t], from_input[0][t]) if replay.summed else product(fed[t]))
            given = replay.given(recurrence, gates, history, states, t)
            wanted = [_at(parts, t + 1) for parts in states]
            replay.forward.run(given, [outs[t], *wanted] if replay.apart else wanted)
            if not replay.apart:
                outs[t].copy_(wanted[0])
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
        for total in replay.totals:
            total.zero_()
        gates, states = _steps(from_input, hidden), [store.unbind() for store in stores]
        for_gates = _steps(
            [*for_input, *([for_history] if weight is not None and not replay.summed else [])], hidden
        )
        for t in reversed(range(length)):
            seeds = [for_outputs[t], *for_state] if replay.apart else for_state
            if not replay.apart:
                for_state[0].add_(for_outputs[t])
            places = [*(gate[t] for gate in for_gates), *for_previous]
            given = replay.given(recurrence, gates, history, states, t)
            replay.backward.run([*given, *seeds], places)
            for number in replay.zero:
                places[number].zero_()
            if weight is not None:
                back = product(for_history[t])
                mask = recurrence.history_mask
                for_previous[0].add_(back if mask is None else back * mask)
            for_state, for_previous = for_previous, for_state
        for_weight = for_bias = None
        if weight is not None:
            flat = for_history.flatten(0, 1)
            for_weight, for_bias = summed_outer_product(flat, fed[:length].flatten(0, 1)), summed_rows(flat)
        for_extra = [
            total.clone() if needs else None for total, needs in zip(replay.totals, ctx.needs, strict=True)
        ]
        return (None, None, None, for_weight, for_bias, *for_input, *for_state, *for_extra)


def _at(parts: Sequence[Tensor], step: int) -> Tensor:
    """Return a state at a step; of a state that nothing depends on, only the last is kept."""
    return parts[step] if len(parts) > 1 else parts[0]


def _steps(tensors: Sequence[Tensor], hidden: int) -> list[Sequence[Tensor]]:
    """Return each gate of tensors (T, B, n*H) as its steps, (B, H) each."""
    return [gate.unbind() for tensor in tensors for gate in tensor.split(hidden, -1)]
