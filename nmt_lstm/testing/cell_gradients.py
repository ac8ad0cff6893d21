"""Checks of a cell's gradients and of its numbers in bf16."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.testing.cell_sequence import by_steps
from nmt_lstm.testing.comparison import Comparison
from nmt_lstm.testing.failure import DoesNotApply
from nmt_lstm.testing.gradients import check_against_numbers, check_bf16, check_reached, gradients_of
from nmt_lstm.testing.subject import CellSubject

__all__ = [
    "bf16_is_near_float32",
    "fused_kernel_equals_unroll",
    "gradients_are_right",
    "gradients_reach_every_parameter",
    "sequence_gradients_equal_step_gradients",
]

Sequence = Callable[[Tensor, State], tuple[Tensor, State]]


def gradients_reach_every_parameter(subject: CellSubject) -> str:
    """In training, a gradient reaches each parameter, the inputs and the first state."""
    cell = subject.build().train()
    inputs = subject.inputs().requires_grad_()
    state = tuple(part.requires_grad_() for part in subject.state(cell))
    outputs, last = cell(inputs, state)
    first, *found = gradients_of((outputs, *last), [inputs, *state, *cell.parameters()])
    # One tensor of a state may stand for something without a gradient, such as a maximum; not all of them may.
    parts = [gradient.flatten() for gradient in found[: len(state)] if gradient is not None]
    return check_reached(
        ["the inputs", "the first state", *(name for name, _ in cell.named_parameters())],
        [first, torch.cat(parts) if parts else None, *found[len(state) :]],
    )


def gradients_are_right(subject: CellSubject) -> str:
    """In float64, gradients agree with finite differences (torch.autograd.gradcheck)."""
    cell = subject.build(torch.float64)
    names = [name for name, _ in cell.named_parameters()]
    state = subject.state(cell, 2, torch.float64)

    def run(inputs: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        parameters = dict(zip(names, rest[len(state) :], strict=True))
        outputs, last = torch.func.functional_call(cell, parameters, (inputs, rest[: len(state)]))
        return (outputs, *last)

    return check_against_numbers(run, [subject.inputs(2, 3, torch.float64), *state, *cell.parameters()])


def sequence_gradients_equal_step_gradients(subject: CellSubject) -> str:
    """In float64, the gradients of a whole sequence are those of plain autograd through its steps."""
    comparison = Comparison(1e-8, "The backward pass of the sequence does not belong to its forward pass.")
    cell = subject.build(torch.float64)
    _compare(subject, cell, cell, lambda inputs, state: by_steps(cell, inputs, state), comparison)
    return str(comparison)


def fused_kernel_equals_unroll(subject: CellSubject) -> str:
    """Where a gated cell has a `forward` of its own, it gives what the unrolled loop gives, values and gradients."""
    comparison = Comparison(1e-5, "forward and update compute different things.")
    for dtype in (torch.float32, torch.float64):
        cell = subject.build(dtype)
        if not isinstance(cell, GatedCell):
            raise DoesNotApply("no gated cell")
        if type(cell).forward is GatedCell.forward:
            raise DoesNotApply("no kernel of its own")
        _compare(subject, cell, cell, cell.unroll, comparison)
    return str(comparison)


def _compare(
    subject: CellSubject, cell: Cell, one: Sequence, other: Sequence, comparison: Comparison
) -> None:
    """Compare results and gradients of two ways to take a sequence."""
    dtype = next(cell.parameters()).dtype
    parameters = list(cell.parameters())
    names = [name for name, _ in cell.named_parameters()]
    found = []
    for take in (one, other):
        inputs = subject.inputs(dtype=dtype).requires_grad_()
        state = tuple(part.requires_grad_() for part in subject.state(cell, dtype=dtype))
        outputs, last = take(inputs, state)
        results = (outputs, *last)
        leaves = [inputs, *state, *parameters]
        gradients = [
            torch.zeros_like(leaf) if gradient is None else gradient
            for leaf, gradient in zip(leaves, gradients_of(results, leaves), strict=True)
        ]
        found.append([*results, *gradients])
    states = list(cell.state_sizes)
    whats = ["outputs", *(f"last {name}" for name in states), "the inputs' gradient"]
    whats += [f"the gradient of the first {name}" for name in states]
    whats += [f"the gradient of {name}" for name in names]
    for what, seen, expected in zip(whats, *found, strict=True):
        comparison.add(what, seen, expected)


def bf16_is_near_float32(subject: CellSubject) -> str:
    """Under bf16 autocast, outputs, states and gradients are finite and near those in float32."""
    cell = subject.build()
    inputs, state = subject.inputs(), subject.state(cell)

    def run() -> tuple[Tensor, ...]:
        outputs, last = cell(inputs, state)
        with torch.no_grad():
            stepped, after = by_steps(cell, inputs, state)
        return (outputs, *last, stepped, *after)

    return check_bf16(
        run,
        list(cell.parameters()),
        "Products run in bf16 under autocast; keep sums, exponentials and logarithms in float32.",
    )
