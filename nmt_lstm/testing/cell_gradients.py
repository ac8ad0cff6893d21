"""Checks of a cell's gradients, and of its results in bf16."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.testing.cell_sequence import run_steps
from nmt_lstm.testing.failure import Comparison, DoesNotApply
from nmt_lstm.testing.gradients import check_bf16, check_finite_differences, check_reached, gradients_of
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
    state = tuple(tensor.requires_grad_() for tensor in subject.state(cell))
    outputs, last = cell(inputs, state)
    first, *others = gradients_of((outputs, *last), [inputs, *state, *cell.parameters()])
    # Some tensors of a state may have no gradient, such as a running maximum, but not all of them.
    flat = [gradient.flatten() for gradient in others[: len(state)] if gradient is not None]
    return check_reached(
        ["the inputs", "the first state", *(name for name, _ in cell.named_parameters())],
        [first, torch.cat(flat) if flat else None, *others[len(state) :]],
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

    return check_finite_differences(run, [subject.inputs(2, 3, torch.float64), *state, *cell.parameters()])


def sequence_gradients_equal_step_gradients(subject: CellSubject) -> str:
    """In float64, the gradients of a sequence are those of autograd through its steps."""
    comparison = Comparison(1e-8, "The backward pass of the sequence does not match its forward pass.")
    cell = subject.build(torch.float64)
    _compare(subject, cell, cell, lambda inputs, state: run_steps(cell, inputs, state), comparison)
    return str(comparison)


def fused_kernel_equals_unroll(subject: CellSubject) -> str:
    """If a gated cell overrides `forward`, it has the same results and gradients as the unrolled loop."""
    comparison = Comparison(1e-5, "forward and update compute different results.")
    for dtype in (torch.float32, torch.float64):
        cell = subject.build(dtype)
        if not isinstance(cell, GatedCell):
            raise DoesNotApply("not a gated cell")
        if type(cell).forward is GatedCell.forward:
            raise DoesNotApply("forward is not overridden")
        _compare(subject, cell, cell, cell.unroll, comparison)
    return str(comparison)


def _compare(
    subject: CellSubject, cell: Cell, one: Sequence, other: Sequence, comparison: Comparison
) -> None:
    """Compare results and gradients of two functions that run the cell along a sequence."""
    dtype = next(cell.parameters()).dtype
    parameters = list(cell.parameters())
    names = [name for name, _ in cell.named_parameters()]
    tensors = []
    for run in (one, other):
        inputs = subject.inputs(dtype=dtype).requires_grad_()
        state = tuple(tensor.requires_grad_() for tensor in subject.state(cell, dtype=dtype))
        outputs, last = run(inputs, state)
        results = (outputs, *last)
        leaves = [inputs, *state, *parameters]
        gradients = [
            torch.zeros_like(leaf) if gradient is None else gradient
            for leaf, gradient in zip(leaves, gradients_of(results, leaves), strict=True)
        ]
        tensors.append([*results, *gradients])
    states = list(cell.state_sizes)
    labels = ["outputs", *(f"last {name}" for name in states), "the inputs' gradient"]
    labels += [f"the gradient of the first {name}" for name in states]
    labels += [f"the gradient of {name}" for name in names]
    for label, actual, expected in zip(labels, *tensors, strict=True):
        comparison.add(label, actual, expected)


def bf16_is_near_float32(subject: CellSubject) -> str:
    """Under bf16 autocast, outputs, states and gradients are finite and close to those in float32."""
    cell = subject.build()
    inputs, state = subject.inputs(), subject.state(cell)

    def run() -> tuple[Tensor, ...]:
        outputs, last = cell(inputs, state)
        with torch.no_grad():
            step_outputs, after = run_steps(cell, inputs, state)
        return (outputs, *last, step_outputs, *after)

    return check_bf16(
        run,
        list(cell.parameters()),
        "Under autocast, products are in bf16; compute sums, exponentials and logarithms in float32.",
    )
