"""The pace of a network on this machine: what is counted, and that measuring it leaves no trace."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.pace import Pace, measure_pace

CPU = torch.device("cpu")


def measured(run):
    """The pace of a run's network, and its data."""
    prepared = prepare(run)
    data = TranslationDataModule.of_run(run, prepared)
    pace = measure_pace(
        run.model,
        run.training,
        subwords=prepared.subwords,
        batches=data.batches(0),
        device=CPU,
        precision="float32",
        seconds=0.0,
    )
    return pace, data


@pytest.mark.parametrize("accumulate", [1, 2])
def test_it_counts_the_steps_of_an_epoch(make_small_run, accumulate) -> None:
    run = make_small_run(f"training.accumulate={accumulate}")
    pace, data = measured(run)
    assert pace.steps_per_epoch == data.steps_per_epoch()
    assert pace.seconds_per_step > 0.0
    # A step has at most batch_pieces.
    assert 0 < pace.pieces_per_second * pace.seconds_per_step <= run.training.batch_pieces


def test_random_numbers_go_on_as_if_nothing_had_been_measured(make_small_run) -> None:
    run = make_small_run()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    measured(run)
    assert torch.equal(torch.rand(4), expected)


def test_epochs_take_their_steps_time() -> None:
    assert Pace(seconds_per_step=0.5, pieces_per_second=800.0, steps_per_epoch=20).seconds(3) == 30.0
