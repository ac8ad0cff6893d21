"""The protocol of all cells: sizes, the loop over steps, and rejected arguments."""

from __future__ import annotations

import re

import pytest
import torch

from nmt_lstm.cells.cell import Cell, check_sequence
from nmt_lstm.numerics.sequence_linear import Linear


class TwoStates(Cell):
    """A cell with two states of different widths, neither of which is the output."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.pre = Linear(input_size, hidden_size)

    @property
    def output_size(self):
        return self.hidden_size + 1

    @property
    def state_sizes(self):
        return {"sum": self.hidden_size, "count": 1}

    def step(self, inputs, state):
        total, count = state
        total, count = total + self.pre(inputs), count + 1
        return torch.cat([total / count, count], -1), (total, count)


class Bare(Cell):
    """A cell that defines nothing."""


def test_the_sequence_is_the_loop_over_steps() -> None:
    torch.manual_seed(0)
    cell = TwoStates(3, 4)
    inputs = torch.randn(2, 6, 3)
    outputs, (total, count) = cell(inputs, cell.initial_state(2))
    sums = cell.pre(inputs).cumsum(1)
    counts = torch.arange(1.0, 7.0)[None, :, None].expand(2, 6, 1)
    torch.testing.assert_close(outputs, torch.cat([sums / counts, counts], -1))
    torch.testing.assert_close(total, sums[:, -1])
    assert count.tolist() == [[6.0], [6.0]]


def test_the_initial_state_is_zeros_like_the_parameters() -> None:
    state = TwoStates(3, 4).double().initial_state(5)
    assert [(tuple(part.shape), part.dtype) for part in state] == [
        ((5, 4), torch.float64),
        ((5, 1), torch.float64),
    ]
    assert not any(part.any() for part in state)


def test_by_default_the_only_state_is_the_output() -> None:
    cell = Bare(3, 4)
    assert cell.state_sizes == {"hidden": 4}
    assert cell.output_size == 4


@pytest.mark.parametrize("sizes", [(0, 4), (3, 0), (3, -1)])
def test_sizes_below_one_are_rejected(sizes) -> None:
    with pytest.raises(ValueError, match=f"input_size={sizes[0]}, hidden_size={sizes[1]}"):
        TwoStates(*sizes)


def test_an_error_names_a_cell_without_step() -> None:
    with pytest.raises(TypeError, match="Bare defines neither step"):
        Bare(3, 4)(torch.zeros(1, 1, 3), (torch.zeros(1, 4),))


@pytest.mark.parametrize("shape", [(2, 0, 3), (2, 5, 4), (2, 3), (1, 2, 5, 3)])
def test_inputs_of_other_shapes_are_rejected(shape) -> None:
    cell = TwoStates(3, 4)
    message = f"TwoStates .*got {re.escape(str(shape))}"
    with pytest.raises(ValueError, match=message):
        check_sequence(cell, torch.zeros(shape))
    with pytest.raises(ValueError, match=message):
        cell(torch.zeros(shape), cell.initial_state(2))
