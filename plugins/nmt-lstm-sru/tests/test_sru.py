"""The SRU against its paper's equations, and the conformance kit."""

from __future__ import annotations

import math

import pytest
import torch
from nmt_lstm_sru import SRU

from nmt_lstm.registry import CELLS
from nmt_lstm.testing import cell_conformance


@cell_conformance(SRU)
def test_conformance(check):
    check()


def plain_sru(cell: SRU, inputs: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The paper's equations, one sentence, one position and one gate after the other."""
    blocks = cell.weight.split(cell.hidden_size)
    forget_bias, reset_bias = cell.bias.split(cell.hidden_size)
    forget_weight, reset_weight = cell.cell_weight.split(cell.hidden_size)
    scale = math.sqrt(1 + 2 * math.exp(-0.5))
    outputs = torch.zeros(*inputs.shape[:2], cell.hidden_size, dtype=inputs.dtype)
    last = torch.zeros_like(state)
    for row in range(len(inputs)):
        c = state[row]
        for position in range(inputs.shape[1]):
            x = inputs[row, position]
            f = torch.sigmoid(blocks[1] @ x + forget_weight * c + forget_bias)
            r = torch.sigmoid(blocks[2] @ x + reset_weight * c + reset_bias)
            c = f * c + (1 - f) * (blocks[0] @ x)
            highway = x if len(blocks) == 3 else blocks[3] @ x
            outputs[row, position] = r * c + (1 - r) * scale * highway
        last[row] = c
    return outputs, last


@pytest.mark.parametrize("input_size", [6, 4])
def test_sequence_is_that_of_the_equations(input_size):
    torch.manual_seed(0)
    cell = SRU(input_size, 6, highway_bias=-0.5).double()
    inputs, state = (
        torch.randn(3, 5, input_size, dtype=torch.float64),
        torch.randn(3, 6, dtype=torch.float64),
    )
    outputs, (last,) = cell(inputs, (state,))
    expected, expected_last = plain_sru(cell, inputs, state)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(last, expected_last)


def test_highway_keeps_the_variance_of_the_inputs():
    torch.manual_seed(0)
    states = torch.randn(64, 12, 128)
    for _ in range(4):
        cell = SRU(128, 128)
        states, _ = cell(states, cell.initial_state(64))
    assert 0.5 < states.var() < 2.0


def test_entry_point_makes_the_name_known():
    assert CELLS.get("sru") is SRU
    assert list(CELLS.options("sru")) == ["highway_bias"]
