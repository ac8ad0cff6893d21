"""What was trained and how fast, with the time of validations left out."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.training.meter import Meter


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_stretch_holds_what_was_added_since_the_last(clock) -> None:
    meter = Meter()
    meter.add(torch.tensor(40.0), 10)
    meter.add(torch.tensor(20.0), 10)
    clock[0] += 2.0
    first = meter.take()
    assert (first.mean_loss, first.speed(1), first.speed(2)) == (3.0, 10.0, 20.0)
    meter.add(20.0, 20)
    clock[0] += 4.0
    second = meter.take()
    assert (second.mean_loss, second.pieces, second.speed(1)) == (1.0, 20, 5.0)


def test_the_time_before_a_restart_counts_as_nothing(clock) -> None:
    meter = Meter()
    clock[0] += 50.0
    meter.restart()
    meter.add(1.0, 30)
    clock[0] += 3.0
    assert meter.take().speed(1) == 10.0


def test_nothing_trained_has_no_loss(clock) -> None:
    assert math.isnan(Meter().take().mean_loss)
