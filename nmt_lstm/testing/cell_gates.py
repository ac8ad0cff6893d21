"""Check of the gates that a cell names: each is read, and stays in the range of the function that makes it."""

from __future__ import annotations

import torch

from nmt_lstm.cells.gate_record import GATE_FUNCTIONS, record_gates
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.testing.comparison import Comparison
from nmt_lstm.testing.failure import ConformanceFailure, DoesNotApply
from nmt_lstm.testing.subject import CellSubject

__all__ = ["recorded_gates_lie_in_their_range"]


def recorded_gates_lie_in_their_range(subject: CellSubject) -> str:
    """Each named gate is read, its recorded values stay in the range of its function, and recording changes no output."""
    cell = subject.build()
    if not isinstance(cell, GatedCell | StepwiseCell):
        raise DoesNotApply("the cell names no gates")
    inputs, state = subject.inputs(), subject.state(cell)
    record = record_gates(cell, inputs, state)
    if record.unread:
        raise ConformanceFailure(
            f"never read: {', '.join(record.unread)}",
            "A gate that is named has weights. Use it, or leave it out of `gates`.",
        )
    for name, values in record.gates.items():
        low, high = GATE_FUNCTIONS.get(record.functions[name], (float("-inf"), float("inf")))
        outside = int((~torch.isfinite(values) | (values < low) | (values > high)).sum())
        if outside:
            raise ConformanceFailure(
                f"gate '{name}': {outside} of {values.numel()} values are outside {low:g} to {high:g}",
                "Is the gate changed in place after its function, as by mul_? Then it is no longer what its name says.",
            )
    with torch.no_grad():
        outputs, _ = cell(inputs, state)
    comparison = Comparison(
        1e-5, "The update must not depend on who calls it, nor on whether gradients are wanted."
    )
    comparison.add("outputs while recording", record.outputs, outputs)
    described = (f"{name} {record.functions[name] or 'as it is'}" for name in record.gates)
    return ", ".join(described)
