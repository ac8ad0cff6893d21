"""The linear recurrence has the values of a loop, as a loop over steps and as a parallel scan."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.recurrence import linear_scan
from nmt_lstm.recurrence.linear_scan import linear_recurrence


def loop(decay, addition, initial):
    """Return the states of the recurrence, computed as its equation reads."""
    states = []
    for factor, term in zip(decay, addition, strict=True):
        initial = factor * initial + term
        states.append(initial)
    return torch.stack(states)


@pytest.fixture(params=["loop", "parallel"], autouse=True)
def algorithm(request, monkeypatch) -> str:
    """Both algorithms; the one for GPUs also runs on a CPU."""
    if request.param == "parallel":
        monkeypatch.setattr(linear_scan, "_scan", linear_scan._parallel_scan)
    return request.param


@pytest.mark.parametrize("length", [1, 2, 3, 8, 13])
def test_values_are_those_of_the_loop_and_arguments_do_not_change(length) -> None:
    torch.manual_seed(length)
    decay, addition = torch.randn(2, length, 3, 4, dtype=torch.float64)
    initial = torch.randn(3, 4, dtype=torch.float64)
    copies = [tensor.clone() for tensor in (decay, addition, initial)]
    torch.testing.assert_close(linear_recurrence(decay, addition, initial), loop(*copies))
    for tensor, copy in zip((decay, addition, initial), copies, strict=True):
        assert torch.equal(tensor, copy)


@pytest.mark.parametrize("length", [1, 5])
def test_gradients_pass_gradcheck(length) -> None:
    torch.manual_seed(1)
    decay, addition = torch.randn(2, length, 2, 3, dtype=torch.float64)
    initial = torch.randn(2, 3, dtype=torch.float64)
    operands = [tensor.requires_grad_() for tensor in (decay, addition, initial)]
    assert torch.autograd.gradcheck(linear_recurrence, operands)


def test_factors_of_zero_and_long_sequences_stay_finite() -> None:
    decay = torch.full((500, 1, 2), 0.5)
    decay[250] = 0.0
    addition = torch.ones_like(decay)
    states = linear_recurrence(decay, addition, torch.full((1, 2), 1e30))
    assert torch.isfinite(states).all()
    torch.testing.assert_close(states[250], torch.ones(1, 2))
    torch.testing.assert_close(states[-1], torch.full((1, 2), 2.0))
