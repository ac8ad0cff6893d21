"""Half-lives and horizons."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.lab.inspection.cell_trace import Call
from nmt_lstm.lab.inspection.memory_span import half_lives, horizon, survival


def test_half_lives_follow_from_what_is_kept() -> None:
    retention = torch.tensor([[0.5, 1.0, 0.25], [0.5, 1.0, 1.0]])
    lives = half_lives(retention).tolist()
    assert lives[0] == pytest.approx(1.0)
    assert math.isinf(lives[1])
    assert lives[2] == pytest.approx(1.0)


def test_a_unit_that_keeps_nothing_has_no_half_life() -> None:
    assert half_lives(torch.zeros(3, 1)).item() < 0.1


def test_survival_is_in_proportion_to_the_gradients() -> None:
    torch.manual_seed(0)
    cell = LSTM(2, 1)
    inputs = torch.randn(1, 6, 2, requires_grad=True)
    state = cell.initial_state(1)
    outputs, _ = cell(inputs, state)
    (gradient,) = torch.autograd.grad(outputs[0, -1, 0], inputs)
    expected = gradient[0].norm(dim=-1)
    found = survival(cell, [Call(inputs.detach(), state)])
    torch.testing.assert_close(found / found[-1], expected / expected[-1])


@pytest.mark.parametrize(
    ("strengths", "expected"), [([1.0, 0.01, 0.2, 1.0], 3), ([0.04, 0.06, 1.0], 1), ([0.0, 0.0, 1.0], 0)]
)
def test_horizon_is_the_farthest_position_that_still_counts(strengths, expected) -> None:
    assert horizon(torch.tensor(strengths)) == expected
