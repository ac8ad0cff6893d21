"""The moving average of weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.training.ema import MovingAverage


def test_the_average_follows_the_formula() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.0)
    average = MovingAverage(model, decay=0.15)  # the early decays, 2/11 and 3/12, are above it
    expected = 0.0
    for value in (1.0, 2.0):
        nn.init.constant_(model.weight, value)
        average.update()
        expected += (1 - 0.15) * (value - expected)
    with average.applied():
        assert model.weight.item() == pytest.approx(expected)
    assert model.weight.item() == 2.0


def test_early_steps_forget_the_initial_weights_faster() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.0)
    average = MovingAverage(model, decay=0.999)
    nn.init.constant_(model.weight, 1.0)
    average.update()
    with average.applied():
        assert model.weight.item() == pytest.approx(9 / 11)


def test_a_resumed_average_continues_exactly() -> None:
    model = nn.Linear(2, 2)
    average = MovingAverage(model, decay=0.9)
    average.update()
    resumed = MovingAverage(model, decay=0.9)
    resumed.load_state_dict(average.state_dict())
    nn.init.ones_(model.weight)
    states = []
    for one in (average, resumed):
        one.update()
        with one.applied():
            states.append(model.weight.detach().clone())
    assert torch.equal(*states)
    assert not torch.equal(states[0], model.weight)


def test_weights_are_restored_after_an_error() -> None:
    model = nn.Linear(2, 2)
    average = MovingAverage(model, decay=0.9)
    nn.init.ones_(model.weight)
    with pytest.raises(KeyError), average.applied():
        raise KeyError
    assert torch.equal(model.weight, torch.ones(2, 2))
