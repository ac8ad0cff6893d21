"""The loader yields the same global batches on any number of processes, from any position on."""

from __future__ import annotations

import itertools
import random

import pytest
import torch

from nmt_lstm.batching.batch import Batch
from nmt_lstm.batching.loader import SOURCE_UNIT, BatchLoader, plan_batches
from nmt_lstm.text.token_store import TokenStore, TokenStoreWriter

COUNT = 157
BUDGET = 90


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TokenStore:
    folder = tmp_path_factory.mktemp("store")
    draw = random.Random(1)
    sources = [[draw.randint(4, 200) for _ in range(draw.randint(0, 14))] for _ in range(COUNT)]
    targets = [[draw.randint(4, 200) for _ in range(draw.randint(0, 12))] for _ in range(COUNT)]
    targets[5] = [7] * 300
    with TokenStoreWriter(folder, 200) as writer:
        writer.write(sources, targets)
    return TokenStore.open(folder)


def loader(store: TokenStore, **options: int) -> BatchLoader:
    plan = plan_batches(
        store,
        batch_pieces=options.pop("batch_pieces", BUDGET),
        seed=options.pop("seed", 1),
        epoch=options.pop("epoch", 0),
    )
    return BatchLoader(store, plan, **options)


def indices_of(batches: BatchLoader) -> list[list[int]]:
    """Return the indices of the pairs in each batch."""
    return [batch.indices.tolist() for batch in batches]


def are_equal(first: Batch, second: Batch) -> bool:
    return (
        torch.equal(first.source.pieces, second.source.pieces)
        and torch.equal(first.target_outputs, second.target_outputs)
        and torch.equal(first.target_positions, second.target_positions)
        and first.indices.tolist() == second.indices.tolist()
        and first.loss_divisor == second.loss_divisor
    )


def test_an_epoch_has_every_pair_once_with_its_own_pieces(store) -> None:
    indices = []
    for batch in loader(store):
        for row, index in enumerate(batch.indices.tolist()):
            length, labels = batch.source.lengths[row], batch.target_lengths[row]
            assert batch.source.pieces[row, : length - 1].tolist() == store.source[index].tolist()
            assert batch.target_outputs[row, : labels - 1].tolist() == store.target[index].tolist()
            indices.append(index)
    assert sorted(indices) == list(range(COUNT))


def test_the_budget_counts_the_end_of_each_sentence_and_padding(store) -> None:
    sizes = [batch.target_outputs.numel() for batch in loader(store) if len(batch.indices) > 1]
    assert max(sizes) <= BUDGET
    assert max(sizes) > 0.9 * BUDGET


def test_a_sentence_longer_than_the_budget_is_a_batch_of_its_own(store) -> None:
    (longest,) = [batch for batch in loader(store) if 5 in batch.indices.tolist()]
    assert longest.indices.tolist() == [5]
    assert longest.target_pieces == 301


def test_source_widths_are_rounded_up(store) -> None:
    batches = list(loader(store))
    assert {batch.source.pieces.shape[1] % SOURCE_UNIT for batch in batches} == {0}
    assert all(
        int(batch.source.lengths.max()) > batch.source.pieces.shape[1] - SOURCE_UNIT for batch in batches
    )


def test_the_divisor_is_the_number_of_labels_of_the_step(store) -> None:
    for batch in loader(store):
        assert batch.loss_divisor == batch.target_pieces


@pytest.mark.parametrize(("world_size", "accumulate"), [(1, 3), (2, 1), (3, 2), (50, 1)])
def test_shares_of_all_processes_add_up_to_the_steps_of_one(store, world_size, accumulate) -> None:
    expected_steps = indices_of(loader(store))
    ranks = [
        list(loader(store, rank=rank, world_size=world_size, accumulate=accumulate))
        for rank in range(world_size)
    ]
    assert {len(batches) for batches in ranks} == {len(expected_steps) * accumulate}
    for step, expected in enumerate(expected_steps):
        shares = [batches[step * accumulate + number] for batches in ranks for number in range(accumulate)]
        trained_on = [index for batch in shares if batch.target_pieces for index in batch.indices.tolist()]
        assert sorted(trained_on) == sorted(expected)
        weight = sum(batch.target_pieces / batch.loss_divisor for batch in shares)
        assert weight / len(shares) == pytest.approx(1.0)


def test_epochs_and_seeds_have_different_orders(store) -> None:
    assert indices_of(loader(store)) == indices_of(loader(store))
    assert indices_of(loader(store)) != indices_of(loader(store, epoch=1))
    assert indices_of(loader(store)) != indices_of(loader(store, seed=2))


def test_the_length_is_the_number_of_batches(store) -> None:
    for options in ({}, {"accumulate": 2}, {"rank": 1, "world_size": 3}):
        assert len(loader(store, **options)) == len(list(loader(store, **options)))


@pytest.mark.parametrize("options", [{}, {"rank": 1, "world_size": 2, "accumulate": 2}])
def test_iteration_resumes_at_the_exact_batch(store, options) -> None:
    expected = list(loader(store, **options))
    for stop in (0, 1, len(expected) // 2, len(expected) - 1):
        first = loader(store, **options)
        list(itertools.islice(first, stop))
        state = first.state_dict()
        assert state == {"epoch": 0, "position": stop}
        second = loader(store, **options)
        second.load_state_dict(state)
        rest = list(second)
        assert len(rest) == len(expected) - stop
        assert all(are_equal(*pair) for pair in zip(rest, expected[stop:], strict=True))


def test_the_position_counts_yielded_batches(store) -> None:
    batches = loader(store)
    iterator = iter(batches)
    assert batches.state_dict()["position"] == 0
    next(iterator)
    assert batches.state_dict()["position"] == 1
    next(iterator)
    assert batches.state_dict()["position"] == 2


def test_after_a_resumed_epoch_the_next_iteration_starts_at_the_beginning(store) -> None:
    batches = loader(store)
    batches.load_state_dict({"epoch": 0, "position": 4})
    assert len(list(batches)) == len(batches) - 4
    assert batches.state_dict()["position"] == 0
    assert indices_of(batches) == indices_of(loader(store))


def test_a_finished_epoch_is_resumed_without_batches(store) -> None:
    batches = loader(store)
    batches.load_state_dict({"epoch": 0, "position": len(batches)})
    assert list(batches) == []


@pytest.mark.parametrize(
    "state", [{"epoch": 1, "position": 0}, {"epoch": 0, "position": -1}, {"epoch": 0, "position": 10**6}]
)
def test_a_position_of_a_different_epoch_is_rejected(store, state) -> None:
    with pytest.raises(ValueError, match="not in epoch 0"):
        loader(store).load_state_dict(state)


def test_global_random_numbers_are_not_used(store) -> None:
    torch.manual_seed(1)
    random.seed(1)
    before = torch.get_rng_state(), random.getstate()
    list(loader(store))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 3), (3, 2)])
def test_a_different_number_of_processes_continues_with_the_pairs_that_are_left(store, before, after) -> None:
    position = 14  # of a step that is computed in two batches
    learnt: list[int] = []
    for processes, start, stop in ((before, 0, position), (after, position, None)):
        for rank in range(processes):
            batches = loader(store, rank=rank, world_size=processes, accumulate=2)
            batches.load_state_dict({"epoch": 0, "position": start})
            for batch in itertools.islice(batches, None if stop is None else stop - start):
                learnt += batch.indices[batch.target_lengths > 0].tolist()
    assert sorted(learnt) == list(range(COUNT))
