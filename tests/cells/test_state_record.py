"""Recorded states: the same numbers as without a record, and gradients that are those of the cell's Jacobians."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.state_record import gradient_norms, recorded_states
from nmt_lstm.registry import CELLS

B, T, INPUT, H = 3, 6, 4, 5
STOCK = ["lstm", "gru", "rnn"]


class Shown(Cell):
    """Its output is not its state."""

    output_is_state = False

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = nn.Parameter(torch.eye(input_size, hidden_size))

    def step(self, inputs, state):
        hidden = 0.5 * state[0] + inputs @ self.weight
        return 3.0 * hidden, (hidden,)


class OwnSequence(Shown):
    """Makes its step of its sequence."""

    def step(self, inputs, state):
        outputs, state = self.forward(inputs[:, None], state)
        return outputs[:, 0], state

    def forward(self, inputs, state):
        outputs = []
        for position in inputs.unbind(1):
            output, state = Shown.step(self, position, state)
            outputs.append(output)
        return torch.stack(outputs, 1), state


def asked(cell: Cell) -> tuple[torch.Tensor, torch.Tensor, list]:
    inputs = torch.randn(B, T, cell.input_size, generator=torch.Generator().manual_seed(1))
    with recorded_states([cell]) as (record,):
        outputs, _ = cell(inputs, cell.initial_state(B))
    return inputs, outputs, record


@pytest.mark.parametrize("name", STOCK)
def test_a_record_changes_no_number_and_ends_with_the_statement(name) -> None:
    torch.manual_seed(1)
    cell = CELLS.build(name, INPUT, H)
    inputs, outputs, record = asked(cell)
    plain, last = cell(inputs, cell.initial_state(B))
    torch.testing.assert_close(outputs, plain)
    assert len(record) == T + 1
    for part, expected in zip(record[-1], last, strict=True):
        torch.testing.assert_close(part, expected)
    assert "forward" not in cell.__dict__
    assert "step" not in cell.__dict__


def test_steps_are_recorded_like_a_sequence() -> None:
    torch.manual_seed(1)
    cell = CELLS.build("lstm", INPUT, H)
    inputs, _, whole = asked(cell)
    with recorded_states([cell]) as (record,):
        state = cell.initial_state(B)
        for position in inputs.unbind(1):
            _, state = cell.step(position, state)
    assert len(record) == len(whole)
    for values, expected in zip(record, whole, strict=True):
        torch.testing.assert_close(values, expected)


@pytest.mark.parametrize("kind", [Shown, OwnSequence])
def test_an_output_that_is_not_a_state_is_recorded_beside_it(kind) -> None:
    _, outputs, record = asked(kind(H, H))
    assert [len(values) for values in record] == [1] + [2] * T
    norms = gradient_norms([outputs[:, -1].sum()], record)
    # The last output alone depends on the loss at its own position; 3.0 is what an output makes of its state.
    of_ones = H**0.5
    expected = [3.0 * 0.5**lag * of_ones for lag in range(T + 1)][::-1]
    expected[-1] = of_ones
    torch.testing.assert_close(norms[:, 0], torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("name", STOCK)
def test_norms_are_those_of_the_whole_state_sentence_by_sentence(name) -> None:
    torch.manual_seed(1)
    cell = CELLS.build(name, INPUT, H)
    inputs, outputs, record = asked(cell)
    weights = torch.randn(B, H, generator=torch.Generator().manual_seed(2))
    norms = gradient_norms([(outputs[:, -1] * weights).sum()], record)
    for row in range(B):
        state = tuple(part.requires_grad_() for part in cell.initial_state(1))
        alone, _ = cell(inputs[row : row + 1], state)
        gradients = torch.autograd.grad((alone[:, -1] * weights[row]).sum(), state)
        assert float(norms[0, row]) == pytest.approx(float(torch.cat(gradients).norm()), rel=1e-4)


def test_tiny_gradients_do_not_round_to_zero() -> None:
    _, outputs, record = asked(Shown(H, H))
    norms = gradient_norms([outputs[:, -1].sum() * 1e-30], record)
    assert (norms > 0).all()
    assert norms[-1, 0] == pytest.approx(1e-30 * H**0.5)
