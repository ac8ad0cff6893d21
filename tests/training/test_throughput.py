"""Training speed: counted without the time of validations, and measured without changing random numbers."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.throughput import Throughput, TrainingMeter, measure_throughput

CPU = torch.device("cpu")


def measure(run):
    """Return the throughput of a run's network, and its data."""
    prepared = prepare(run)
    data = TranslationDataModule.of_run(run, prepared)
    throughput = measure_throughput(
        run.model,
        run.training,
        subwords=prepared.subwords,
        batches=data.batches(0),
        device=CPU,
        precision="float32",
        seconds=0.0,
    )
    return throughput, data


@pytest.mark.parametrize("accumulate", [1, 2])
def test_throughput_counts_the_steps_of_an_epoch(make_small_run, accumulate) -> None:
    run = make_small_run(f"training.accumulate={accumulate}")
    throughput, data = measure(run)
    assert throughput.steps_per_epoch == data.steps_per_epoch()
    assert throughput.seconds_per_step > 0.0
    # A step has at most batch_pieces pieces.
    assert 0 < throughput.pieces_per_second * throughput.seconds_per_step <= run.training.batch_pieces


def test_measuring_does_not_change_later_random_numbers(make_small_run) -> None:
    run = make_small_run()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    measure(run)
    assert torch.equal(torch.rand(4), expected)


def test_the_time_of_epochs_is_that_of_their_steps() -> None:
    assert Throughput(seconds_per_step=0.5, pieces_per_second=800.0, steps_per_epoch=20).seconds(3) == 30.0


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_statistics_cover_the_steps_since_they_were_last_taken(clock) -> None:
    meter = TrainingMeter()
    meter.add(torch.tensor(40.0), 10)
    meter.add(torch.tensor(20.0), 10)
    clock[0] += 2.0
    first = meter.take()
    assert (first.mean_loss, first.pieces_per_second(1), first.pieces_per_second(2)) == (3.0, 10.0, 20.0)
    meter.add(20.0, 20)
    clock[0] += 4.0
    second = meter.take()
    assert (second.mean_loss, second.pieces, second.pieces_per_second(1)) == (1.0, 20, 5.0)


def test_the_time_before_a_restart_is_left_out(clock) -> None:
    meter = TrainingMeter()
    clock[0] += 50.0
    meter.restart()
    meter.add(1.0, 30)
    clock[0] += 3.0
    assert meter.take().pieces_per_second(1) == 10.0


def test_without_pieces_loss_and_speed_are_nan() -> None:
    statistics = TrainingMeter().take()
    assert math.isnan(statistics.mean_loss)
    assert math.isnan(statistics.pieces_per_second(1))
