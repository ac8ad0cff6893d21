"""What gates do, read from what the cells did."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm import CELLS, GatedCell
from nmt_lstm.lab.inspection.cell_trace import Call, CellTrace, trace_cell
from nmt_lstm.lab.inspection.gate_roles import gate_role, open_throughout


class Replacing(GatedCell):
    """A GRU whose gate has the opposite meaning, and nothing to reset."""

    gates = ("new", "candidate")

    def update(self, x, h, state):
        new = (x.new + h.new).sigmoid()
        return (new * (x.candidate + h.candidate).tanh() + (1 - new) * state[0],)


def traced(cell) -> CellTrace:
    torch.manual_seed(3)
    cell.reset_parameters()
    return trace_cell(cell, [Call(torch.randn(1, 7, 5) * 2, cell.initial_state(1))])


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        (
            "lstm",
            {
                "input": "near 1 writes the candidate",
                "forget": "near 1 keeps the memory",
                "output": "near 1 shows the memory",
            },
        ),
        ("gru", {"update": "near 1 keeps the memory", "reset": ""}),
    ],
)
def test_roles_of_stock_gates(name, roles) -> None:
    record = traced(CELLS.build(name, 5, 6))
    assert {gate: gate_role(record, gate) for gate in roles} == roles


def test_a_role_does_not_depend_on_the_name() -> None:
    record = traced(Replacing(5, 6))
    assert gate_role(record, "new") == "near 1 replaces the memory and writes the candidate"


def test_units_that_are_open_at_every_position_are_named() -> None:
    values = torch.tensor([[0.95, 0.2, 0.99, 0.91], [0.91, 0.99, 0.92, 0.89]])
    assert open_throughout(values) == [0, 2]
    assert open_throughout(values[:0]) == [0, 1, 2, 3]
