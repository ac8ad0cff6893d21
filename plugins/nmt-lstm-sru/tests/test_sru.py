"""The SRU follows its paper's equations and passes the conformance kit."""

from __future__ import annotations

import math

import pytest
import torch
from nmt_lstm_sru import SRU

from nmt_lstm import CELLS
from nmt_lstm.testing import cell_conformance


@cell_conformance(SRU)
def test_conformance(check):
    check()


@cell_conformance(SRU, input_size=12, hidden_size=12, options={"highway_bias": -2.0})
def test_conformance_if_the_highway_passes_the_input(check):
    check()


def expected_outputs(
    cell: SRU, inputs: torch.Tensor, state: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return outputs and last state by the paper's equations, for one sentence and one position at a time."""
    weights, biases = cell.weight_ih.split(cell.hidden_size), cell.bias_ih.split(cell.hidden_size)
    scale = math.sqrt(1 + 2 * math.exp(-0.5))
    outputs = inputs.new_zeros(*inputs.shape[:2], cell.hidden_size)
    last = torch.zeros_like(state)
    for row in range(len(inputs)):
        c = state[row]
        for position in range(inputs.shape[1]):
            x = inputs[row, position]
            u, f, r = (weight @ x + bias for weight, bias in zip(weights[:3], biases[:3], strict=True))
            f = torch.sigmoid(f + cell.forget_weight * c)
            r = torch.sigmoid(r + cell.reset_weight * c)
            c = f * c + (1 - f) * u
            highway = x if len(weights) == 3 else weights[3] @ x + biases[3]
            outputs[row, position] = r * c + (1 - r) * scale * highway
        last[row] = c
    return outputs, last


@pytest.mark.parametrize("input_size", [6, 4])
def test_a_sequence_follows_the_equations(input_size):
    torch.manual_seed(0)
    cell = SRU(input_size, 6, highway_bias=-0.5).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    inputs, state = torch.randn(3, 5, input_size).double(), torch.randn(3, 6).double()
    outputs, (last,) = cell(inputs, (state,))
    expected, expected_last = expected_outputs(cell, inputs, state)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(last, expected_last)


def test_the_input_is_projected_only_where_widths_differ():
    assert SRU(6, 6).weight_ih.shape == (18, 6)
    assert SRU(4, 6).weight_ih.shape == (24, 4)


def test_the_highway_keeps_the_variance_of_the_inputs():
    torch.manual_seed(0)
    states = torch.randn(64, 12, 128)
    for _ in range(4):
        cell = SRU(128, 128)
        states, _ = cell(states, cell.initial_state(64))
    assert 0.5 < states.var() < 2.0


def test_the_entry_point_registers_the_name():
    assert CELLS.get("sru") is SRU
    assert list(CELLS.options("sru")) == ["highway_bias"]


def test_parameters_are_drawn_again_as_the_constructor_draws_them() -> None:
    torch.manual_seed(1)
    cell = SRU(5, 6, highway_bias=-2.0)
    before = {name: value.clone() for name, value in cell.state_dict().items()}
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(1.0)
    torch.manual_seed(1)
    cell.reset_parameters()
    for name, value in cell.state_dict().items():
        assert torch.equal(value, before[name]), name
