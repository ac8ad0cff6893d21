"""Half-lives that are measured by changing a unit."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gru import GRU
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.lab.inspection.cell_trace import Call, trace_cell
from nmt_lstm.lab.inspection.memory_span import half_lives
from nmt_lstm.lab.inspection.perturbation import MAX_UNITS, measured_half_lives


class Leaky(Cell):
    """Each unit keeps a share of its own, whatever it reads; pairs may exchange their places."""

    def __init__(self, keep: list[float], *, swapped: bool = False) -> None:
        super().__init__(len(keep), len(keep))
        self.keep, self.swapped = torch.nn.Parameter(torch.tensor(keep)), swapped

    def step(self, inputs, state):
        new = inputs + self.keep * state[0]
        new = new.flip(-1) if self.swapped else new
        return new, (new,)


def measured(cell: Cell, length: int):
    torch.manual_seed(0)
    call = Call(torch.randn(1, length, cell.input_size), cell.initial_state(1))
    return measured_half_lives(cell, [call], trace_cell(cell, [call]))


def test_a_share_that_is_kept_gives_the_half_life() -> None:
    found = measured(Leaky([0.5, 0.5**0.5, 0.0, 1.0]), 16)
    assert found.room == 12
    assert found.units.tolist() == [0, 1, 2, 3]
    assert found.lives[:3].tolist() == pytest.approx([1.0, 2.0, 0.0], abs=0.05)
    assert math.isinf(found.lives[3])


def test_what_comes_back_through_the_weights_counts() -> None:
    # Swapped twice, a unit has its own change again: at every second position.
    found = measured(Leaky([1.0, 0.0], swapped=True), 9)
    assert (found.lives < 1).all()
    found = measured(Leaky([1.0, 0.9], swapped=True), 9)
    assert (found.lives > 5).all()


def test_gates_and_measurement_agree_where_nothing_comes_back() -> None:
    torch.manual_seed(2)
    cell = LSTM(3, 5)
    with torch.no_grad():
        cell.weight_hh.zero_()
        cell.weight_ih.zero_()
    call = Call(torch.randn(1, 40, 3), cell.initial_state(1))
    record = trace_cell(cell, [call])
    found = measured_half_lives(cell, [call], record)
    torch.testing.assert_close(found.lives, half_lives(record.retention), rtol=0.05, atol=0.05)


def test_steps_of_a_decoder_count_as_one_sequence() -> None:
    torch.manual_seed(0)
    cell = GRU(3, 4)
    inputs = torch.randn(1, 6, 3)
    whole = [Call(inputs, cell.initial_state(1))]
    record = trace_cell(cell, whole)
    steps = [
        Call(inputs[:, at : at + 1], whole[0].state if at == 0 else (record.states["hidden"][at - 1 : at],))
        for at in range(6)
    ]
    expected = measured_half_lives(cell, whole, record)
    found = measured_half_lives(cell, steps, trace_cell(cell, steps))
    torch.testing.assert_close(found.lives, expected.lives, rtol=1e-3, atol=1e-3)


def test_a_wide_cell_is_sampled_at_equal_distances() -> None:
    found = measured(Leaky([0.5] * 300), 5)
    assert len(found.units) == MAX_UNITS
    assert found.units[-1] >= 295
    assert len(set(found.units.tolist())) == MAX_UNITS


def test_one_position_has_no_room() -> None:
    assert measured(Leaky([0.5]), 1) is None
