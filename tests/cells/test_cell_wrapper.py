"""A wrapper behaves like its inner cell, except for what a subclass overrides."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.cell_wrapper import CellWrapper
from nmt_lstm.cells.lstm import LSTM


class Wide(Cell):
    """A cell whose outputs are wider than its state."""

    @property
    def output_size(self) -> int:
        return 2 * self.hidden_size

    def initial_state(self, batch_size: int):
        return (torch.zeros(batch_size, self.hidden_size),)

    def step(self, inputs, state):
        return torch.cat([state[0], state[0] + 1], -1), (state[0] + 1,)


class Negated(CellWrapper):
    """Outputs of the inner cell, negated."""

    def step(self, inputs, state):
        output, new_state = super().step(inputs, state)
        return -output, new_state

    def forward(self, inputs, state):
        outputs, last = super().forward(inputs, state)
        return -outputs, last


@pytest.mark.parametrize("kind", ["lstm", "running_mean"])
def test_a_wrapper_behaves_like_its_inner_cell(kind, running_mean) -> None:
    inner = LSTM(3, 4) if kind == "lstm" else running_mean(3, 4)
    cell = CellWrapper(inner)
    assert (cell.input_size, cell.hidden_size, cell.output_size) == (3, 4, 4)
    assert cell.output_is_state == inner.output_is_state
    assert dict(cell.state_sizes) == dict(inner.state_sizes)
    assert dict(cell.bridge_sizes) == dict(inner.bridge_sizes)
    inputs, state = torch.randn(2, 5, 3), inner.initial_state(2)
    torch.testing.assert_close(cell.initial_state(2), state)
    for result, expected in (
        (cell(inputs, state), inner(inputs, state)),
        (cell.step(inputs[:, 0], state), inner.step(inputs[:, 0], state)),
    ):
        torch.testing.assert_close(result, expected)


def test_outputs_have_the_width_of_the_inner_cells() -> None:
    cell = CellWrapper(Wide(3, 4))
    outputs, _ = cell(torch.randn(2, 5, 3), cell.cell.initial_state(2))
    assert cell.output_size == 8
    assert outputs.shape == (2, 5, 8)


def test_only_overridden_methods_differ() -> None:
    inner = LSTM(3, 4)
    cell = Negated(inner)
    inputs, state = torch.randn(2, 5, 3), cell.initial_state(2)
    (outputs, last), (expected, expected_last) = cell(inputs, state), inner(inputs, state)
    torch.testing.assert_close(outputs, -expected)
    torch.testing.assert_close(last, expected_last)
    torch.testing.assert_close(cell.step(inputs[:, 0], state)[0], -expected[:, 0])


def test_parameters_belong_to_the_inner_cell_which_draws_them_again() -> None:
    torch.manual_seed(1)
    cell = Negated(LSTM(3, 4, forget_bias=2.5))
    assert "cell.weight_hh" in cell.state_dict()
    before = {name: value.clone() for name, value in cell.state_dict().items()}
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.fill_(7.0)
    torch.manual_seed(1)
    cell.reset_parameters()
    for name, value in cell.state_dict().items():
        assert torch.equal(value, before[name]), name
