"""What is shown of a validation at a terminal, and the speed of training with the time of validations left out."""

from __future__ import annotations

import io
import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from nmt_lstm.training.budget import TimeBudget
from nmt_lstm.training.module import Tally
from nmt_lstm.training.progress import ProgressDisplay
from nmt_lstm.training.run_report import RunReport, Speedometer
from nmt_lstm.training.validation import ValidationResult


def shown(*, terminal: bool) -> str:
    file = io.StringIO()
    report = RunReport(
        display=ProgressDisplay(Console(file=file, force_terminal=terminal, width=200, color_system=None)),
        budget=TimeBudget(None),
        epochs=3,
        beam_size=1,
        sources=["eins .", "zwei .", "drei ."],
        references=["one .", "two .", "three ."],
    )
    result = ValidationResult(
        loss=1.0, bleu=2.0, chrf=3.0, signatures={}, indices=[0, 2], translations=["once .", ""]
    )
    trainer = cast("Any", SimpleNamespace(global_step=2, current_epoch=0, world_size=1, loggers=[]))
    report.validation(trainer, result, improved=True)
    return file.getvalue()


def test_samples_stand_beside_their_source_and_reference() -> None:
    words = [line.split(maxsplit=1) for line in shown(terminal=True).splitlines()[1:]]
    assert words == [
        ["source", "eins ."],
        ["translation", "once ."],
        ["reference", "one ."],
        ["source", "drei ."],
        ["translation", "(empty)"],
        ["reference", "three ."],
    ]


def test_a_file_gets_the_numbers_alone() -> None:
    (line,) = shown(terminal=False).splitlines()
    assert "BLEU 2.00" in line


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
