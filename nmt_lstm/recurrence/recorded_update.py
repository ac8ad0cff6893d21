"""An update and its gradient recorded, as two programs that are replayed at each step of a sequence."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nmt_lstm.recurrence.program import Program
from nmt_lstm.recurrence.recurrence import Recurrence, Tensors, leaves
from nmt_lstm.recurrence.tape import Tape, UntapeableError

__all__ = ["Replay", "record"]

# Recorded on so few rows, an update leaves in the cache what is there. Updates seldom name the number.
FEWEST_ROWS = 7


class Replay(NamedTuple):
    """A recorded update as two programs.

    Forward takes gates, states and noise, and gives the output and the new states. Gates, their gradients and the output
    have the type of products, all else that of updates.
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
    any_rows: bool
    """Whether it can be replayed on another number of rows than it was recorded for."""

    def allocate(self, rows: int) -> None:
        """Get ready for so many rows."""
        self.forward.allocate(rows)
        self.backward.allocate(rows)


def record(
    recurrence: Recurrence,
    x_gates: int,
    h_gates: int,
    state: Sequence[Tensor],
    extra: Sequence[Tensor],
    dtype: torch.dtype,
) -> Replay:
    """Record an update.

    Args:
        recurrence: the update.
        x_gates: how many gates come from the input.
        h_gates: how many come from history.
        state: tensors of the states' shapes, (B, H).
        extra: the parameters that the update uses.
        dtype: type of products.

    Raises:
        UntapeableError: the update changes tensors in place, draws random numbers, looks at values, or returns tensors
            unlike its states.
    """
    gates, rows = x_gates + h_gates, len(state[0])
    few = _rows_to_record(recurrence, state)
    tape, apart = _recorded(recurrence, x_gates, h_gates, state, extra, min(few, rows))
    # On as many rows as a parameter has, or on one, a recording cannot tell rows from what is broadcast.
    any_rows = tape.rows == few and tape.stands_for_any_rows(extra)
    if not any_rows and tape.rows != rows:
        tape, apart = _recorded(recurrence, x_gates, h_gates, state, extra, rows)
    sums = tape.sums(range(x_gates), range(x_gates, gates)) if x_gates == h_gates else None
    # Through an addition the gradients of both parts are one.
    kept = range(gates) if sums is None else range(x_gates)
    order = [*(tape.inputs[:gates] if sums is None else sums), *tape.inputs[gates:]]
    sources = {place: number for number, place in enumerate(order)}
    seeded = sources | {place: len(order) + n for n, place in enumerate(tape.seeds) if place is not None}
    wanted = [*(tape.gradients[number] for number in kept), *tape.gradients[gates : gates + len(state)]]
    totals = tuple(torch.zeros_like(tensor) for tensor in extra)
    of_extra = zip(tape.gradients[len(tape.inputs) :], totals, strict=True)
    results = tape.results if apart else [tape.results[0], *tape.results]
    others = range(len(kept) if dtype != state[0].dtype else 0)
    return Replay(
        forward=Program(
            tape,
            sources,
            [(place, number) for number, place in enumerate(results)],
            converted=(others, others[:1]),
        ),
        backward=Program(
            tape,
            seeded,
            [(place, number) for number, place in enumerate(wanted) if place is not None],
            [(place, total) for place, total in of_extra if place is not None],
            converted=(others, others),
        ),
        gates=len(kept),
        summed=sums is not None,
        apart=apart,
        zero=frozenset(number for number, place in enumerate(wanted) if place is None),
        totals=totals,
        any_rows=any_rows,
    )


def _rows_to_record(recurrence: Recurrence, state: Sequence[Tensor]) -> int:
    """Return a number of rows that is no size of anything else."""
    module = recurrence.module
    sizes = {size for tensor in (*module.parameters(), *module.buffers()) for size in tensor.shape}
    sizes |= {size for part in (*state, *recurrence.noise) for size in part.shape[-1:]}
    return next(number for number in itertools.count(FEWEST_ROWS) if number not in sizes)


def _recorded(
    recurrence: Recurrence,
    x_gates: int,
    h_gates: int,
    state: Sequence[Tensor],
    extra: Sequence[Tensor],
    rows: int,
) -> tuple[Tape, bool]:
    """Return a recording on some rows, and whether the output is no state."""
    gates, ends = x_gates + h_gates, x_gates + h_gates + len(state)
    samples = leaves([torch.full_like(state[0][:rows], 0.5) for _ in range(gates)])
    samples += leaves([torch.full_like(part[:rows], 0.5) for part in state])
    samples += tuple(part[:rows].clone() for part in recurrence.noise_at(0))
    apart = False

    def function(tensors: Tensors) -> Tensors:
        nonlocal apart
        cut = tensors[:x_gates], tensors[x_gates:gates], tensors[gates:ends], tensors[ends:]
        output, new = recurrence.update(*cut)
        apart = output is not new[0]
        results = (output, *new) if apart else new
        if any(part.shape != samples[0].shape or part.dtype != samples[0].dtype for part in results):
            raise UntapeableError("it returns tensors of other shapes or types than its states")
        return results

    return Tape(function, samples, extra), apart
