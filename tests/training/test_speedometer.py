"""What was trained and how fast, with the time of validations left out."""

from __future__ import annotations

import math

import pytest

from nmt_lstm.training.module import Tally
from nmt_lstm.training.speedometer import Speedometer


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_stretches_add_up_until_a_validation(clock) -> None:
    speedometer, tally = Speedometer(), Tally()
    tally.add(60.0, 20)
    clock[0] += 2.0
    first = speedometer.read(tally)
    assert (first.mean_loss, first.speed(1), first.speed(2)) == (3.0, 10.0, 20.0)
    tally.add(20.0, 20)
    clock[0] += 2.0
    assert speedometer.read(tally).mean_loss == 1.0
    whole = speedometer.since_validation()
    assert (whole.mean_loss, whole.pieces, whole.speed(1)) == (2.0, 40, 10.0)
    assert speedometer.since_validation().pieces == 0


def test_the_time_of_a_validation_counts_as_nothing(clock) -> None:
    speedometer, tally = Speedometer(), Tally()
    speedometer.read(tally)
    clock[0] += 50.0
    speedometer.restart()
    tally.add(1.0, 30)
    clock[0] += 3.0
    assert speedometer.read(tally).speed(1) == 10.0


def test_nothing_trained_has_no_loss(clock) -> None:
    assert math.isnan(Speedometer().read(Tally()).mean_loss)
