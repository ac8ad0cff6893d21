"""Checks of a cell's first call, its gates, and the trace of its step."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.cells.gate_record import GATE_FUNCTIONS, record_gates
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.inference.onnx.exporter import BATCH
from nmt_lstm.testing.failure import Comparison, ConformanceFailure, DoesNotApply
from nmt_lstm.testing.return_values import check_output_and_state
from nmt_lstm.testing.subject import CellSubject
from nmt_lstm.testing.tracing import check_traced

__all__ = [
    "first_call_works",
    "recorded_gates_lie_in_their_range",
    "step_can_be_traced",
]


def first_call_works(subject: CellSubject) -> str:
    """The cell can be built and called with a sequence and a step; both return an output and a tuple of state tensors."""
    cell = subject.build().train()
    state = cell.initial_state(2)
    inputs = subject.inputs(2, 3)
    check_output_and_state("forward", cell(inputs, state))
    cell.eval()
    with torch.no_grad():
        check_output_and_state("step", cell.step(inputs[:, 0], state))
    return f"{sum(parameter.numel() for parameter in cell.parameters()):,} parameters"


def recorded_gates_lie_in_their_range(subject: CellSubject) -> str:
    """Each named gate is used, its recorded values are in the range of its function, and recording changes no output."""
    cell = subject.build()
    if not isinstance(cell, GatedCell | StepwiseCell):
        raise DoesNotApply("the cell names no gates")
    inputs, state = subject.inputs(), subject.state(cell)
    record = record_gates(cell, inputs, state)
    if record.unread:
        raise ConformanceFailure(
            f"unused gates: {', '.join(record.unread)}",
            "A named gate has weights. Use it, or remove it from `gates`.",
        )
    for name, values in record.gates.items():
        low, high = GATE_FUNCTIONS.get(record.functions[name], (float("-inf"), float("inf")))
        outside = int((~torch.isfinite(values) | (values < low) | (values > high)).sum())
        if outside:
            raise ConformanceFailure(
                f"gate '{name}': {outside} of {values.numel()} values are outside {low:g} to {high:g}",
                "Is the gate changed in place after its function, for example by mul_?",
            )
    with torch.no_grad():
        outputs, _ = cell(inputs, state)
    comparison = Comparison(
        1e-5, "The update must not depend on its caller, nor on whether gradients are enabled."
    )
    comparison.add("outputs while recording", record.outputs, outputs)
    described = (f"{name} {record.functions[name] or 'without function'}" for name in record.gates)
    return ", ".join(described)


def step_can_be_traced(subject: CellSubject) -> str:
    """A step can be traced for any number of rows, without a branch on a value, as the export to ONNX requires."""
    cell = subject.build()
    state = subject.state(cell)

    def call(inputs: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        output, after = cell.step(inputs, state)
        return output, *after

    examples = [subject.inputs()[:, 0], *state]
    return check_traced(cell, call, examples, [{0: BATCH} for _ in examples])
