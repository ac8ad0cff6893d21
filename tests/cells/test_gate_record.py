"""Recorded gates are those that the cell computes, whatever kind of cell it is; recording does not change the cell."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gate_record import record_gates
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.gru import GRU
from nmt_lstm.cells.linear_cell import LinearCell
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.cells.stepwise_cell import StepwiseCell

B, T, INPUT, H = 2, 4, 3, 5


class ResetBefore(StepwiseCell):
    """Its reset gate acts before the product (Cho et al. 2014)."""

    gates = ("reset", "candidate")
    products = (("gate", 1), ("candidate", 1))

    def advance(self, x, products, state):
        (hidden,) = state
        (from_reset,) = products["gate"](hidden)
        reset = torch.sigmoid(x.reset + from_reset)
        (from_candidate,) = products["candidate"](reset * hidden)
        return (torch.tanh(x.candidate + from_candidate),)


class Linear(LinearCell):
    """A cell whose candidate has no function; the tanh of the output belongs to no gate."""

    gates = ("forget", "candidate")
    output_is_state = False

    def coefficients(self, x):
        forget = torch.sigmoid(x.forget)
        return forget, (1 - forget) * x.candidate

    def output(self, x, state):
        return torch.tanh(state)


class Unread(GatedCell):
    gates = ("spare", "candidate")

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)


class Nameless(Cell):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.linear = nn.Linear(input_size, hidden_size)

    @property
    def state_sizes(self) -> dict[str, int]:
        return {"hidden": self.hidden_size}

    def step(self, inputs, state):
        new = self.linear(inputs)
        return new, (new,)


def seeded_cell(part, **options) -> Cell:
    torch.manual_seed(1)
    return part(INPUT, H, **options)


INPUTS = torch.randn(B, T, INPUT, generator=torch.Generator().manual_seed(2))


def test_gates_and_states_of_an_lstm_are_those_of_its_equations() -> None:
    cell = seeded_cell(LSTM)
    record = record_gates(cell, INPUTS)
    assert record.functions == {
        "input": "sigmoid", "forget": "sigmoid", "candidate": "tanh", "output": "sigmoid",
    }  # fmt: skip
    hidden = cell_state = torch.zeros(B, H)
    for position in range(T):
        rows = (
            INPUTS[:, position] @ cell.weight_ih.t()
            + cell.bias_ih
            + hidden @ cell.weight_hh.t()
            + cell.bias_hh
        ).detach()
        into, forget, candidate, out = rows.split(H, 1)
        expected = {
            "input": into.sigmoid(),
            "forget": forget.sigmoid(),
            "candidate": candidate.tanh(),
            "output": out.sigmoid(),
        }
        for name, values in expected.items():
            torch.testing.assert_close(record.gates[name][:, position], values)
        cell_state = expected["forget"] * cell_state + expected["input"] * expected["candidate"]
        hidden = expected["output"] * cell_state.tanh()
        torch.testing.assert_close(record.states["cell"][:, position], cell_state)
        torch.testing.assert_close(record.states["hidden"][:, position], hidden)
    torch.testing.assert_close(record.outputs, record.states["hidden"])
    assert record.unread == ()


@pytest.mark.parametrize("part", [LSTM, GRU, ResetBefore, Linear])
def test_recording_does_not_change_the_cell(part) -> None:
    cell = seeded_cell(part)
    before = {name: value.clone() for name, value in cell.state_dict().items()}
    state = tuple(torch.full((B, H), 0.3) for _ in cell.state_sizes)
    record = record_gates(cell, INPUTS, state)
    with torch.no_grad():
        outputs, last = cell(INPUTS, state)
    torch.testing.assert_close(record.outputs, outputs)
    for values, expected in zip(record.states.values(), last, strict=True):
        torch.testing.assert_close(values[:, -1], expected)
    assert not any(values.requires_grad for values in (record.outputs, *record.gates.values()))
    assert {name: value.tolist() for name, value in cell.state_dict().items()} == {
        name: value.tolist() for name, value in before.items()
    }
    assert "update" not in vars(cell)
    assert "advance" not in vars(cell)


def test_a_gate_is_not_confused_with_one_that_it_multiplies() -> None:
    record = record_gates(seeded_cell(GRU), INPUTS)
    assert record.functions == {"reset": "sigmoid", "update": "sigmoid", "candidate": "tanh"}
    record = record_gates(seeded_cell(ResetBefore), INPUTS)
    assert record.functions == {"reset": "sigmoid", "candidate": "tanh"}


def test_a_gate_without_a_function_is_recorded_as_its_pre_activation() -> None:
    cell = seeded_cell(Linear)
    record = record_gates(cell, INPUTS)
    assert record.functions == {"forget": "sigmoid", "candidate": ""}
    products = (INPUTS @ cell.weight_ih.t() + cell.bias_ih).detach()
    torch.testing.assert_close(record.gates["candidate"], products[..., H:])


def test_gates_that_the_update_never_reads_are_listed() -> None:
    assert record_gates(seeded_cell(Unread), INPUTS).unread == ("spare",)


def test_a_cell_without_gates_is_rejected() -> None:
    with pytest.raises(TypeError, match="Nameless .*GatedCell"):
        record_gates(seeded_cell(Nameless), INPUTS)


def test_an_empty_sequence_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"got \(2, 0, 3\)"):
        record_gates(seeded_cell(LSTM), INPUTS[:, :0])
