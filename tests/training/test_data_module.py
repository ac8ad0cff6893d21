"""Batches of epochs and validations: complete, planned for sampled pieces, and continued at a position."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.data_module import EpochBatches, TranslationDataModule


def data_module(run: RunSettings) -> TranslationDataModule:
    return TranslationDataModule.of_run(run, prepare(run))


def test_steps_are_planned_for_the_sampled_pieces(make_small_run: Any) -> None:
    steps = []
    for sampling in (0.0, 0.05):
        run = make_small_run(f"subwords.sampling={sampling}", "training.batch_pieces=60")
        data = data_module(run)
        assert data.steps_per_epoch() == len(data.train_dataloader())
        steps.append(data.steps_per_epoch())
    assert steps[0] < steps[1]


def test_an_epoch_contains_each_pair_once(make_small_run: Any) -> None:
    data = data_module(make_small_run())
    for epoch in (0, 1):
        indices = torch.cat([batch.indices for batch in data.batches(epoch)]).tolist()
        assert sorted(indices) == list(range(400))


def test_batches_continue_at_the_position_of_a_checkpoint(make_small_run: Any) -> None:
    data = data_module(make_small_run())
    batches = EpochBatches(data.batches, epoch=1)
    iterator = iter(batches)
    next(iterator)
    state = batches.state_dict()
    expected = next(iterator)
    resumed = EpochBatches(data.batches, epoch=0)
    resumed.load_state_dict(state)
    assert torch.equal(next(iter(resumed)).indices, expected.indices)


@pytest.mark.parametrize("limit", [3, 500])
def test_validation_lines_are_truncated(make_small_run: Any, limit: int) -> None:
    data = data_module(make_small_run(f"search.max_source_pieces={limit}"))
    longest = max(int(batch.source.lengths.max()) for batch in data.validation_batches())
    assert longest <= limit + 1  # with the end of sentence
    assert (longest == limit + 1) is (limit == 3)
