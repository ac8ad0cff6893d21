"""Epoch plans contain every pair once, within the budget, depend on a seed, and are split into equal shares."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.batching import sampler
from nmt_lstm.batching.sampler import EpochPlan, plan_epoch

lengths = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=120)


def plan(pairs: list[tuple[int, int]], batch_pieces: int = 100, seed: int = 1, epoch: int = 0) -> EpochPlan:
    sources, targets = (np.array(side, np.int32) for side in zip(*pairs, strict=True))
    return plan_epoch(sources, targets, batch_pieces=batch_pieces, seed=seed, epoch=epoch)


def steps(plan: EpochPlan) -> list[list[int]]:
    return [plan.pairs(step).tolist() for step in range(len(plan))]


def random_lengths(count: int, seed: int = 0, longest: int = 40) -> list[tuple[int, int]]:
    draw = np.random.default_rng(seed)
    sources = draw.integers(1, longest, count)
    return [(int(source), int(max(1, source + draw.integers(-2, 3)))) for source in sources]


@settings(max_examples=150, deadline=None)
@given(lengths, st.integers(1, 300))
def test_every_pair_occurs_exactly_once(pairs, budget) -> None:
    indices = [index for step in steps(plan(pairs, budget)) for index in step]
    assert sorted(indices) == list(range(len(pairs)))


@settings(max_examples=150, deadline=None)
@given(lengths, st.integers(1, 300))
def test_no_step_is_empty_or_above_the_budget_unless_it_is_one_pair(pairs, budget) -> None:
    for step in steps(plan(pairs, budget)):
        assert step
        if len(step) > 1:
            assert len(step) * max(pairs[index][1] for index in step) <= budget
            assert len(step) * max(pairs[index][0] for index in step) <= sampler.SOURCE_BUDGET * budget


@settings(max_examples=100, deadline=None)
@given(lengths, st.integers(1, 300))
def test_a_step_is_as_large_as_the_budget_allows(pairs, budget) -> None:
    """No step could also hold the first pair of the next longer one."""
    by_length = [sorted(step, key=lambda index: pairs[index][::-1]) for step in steps(plan(pairs, budget))]
    by_length.sort(key=lambda step: (pairs[step[-1]][::-1], pairs[step[0]][::-1], -len(step)))
    for step, (next_pair, *_) in itertools.pairwise(by_length):
        larger = [*step, next_pair]
        target = len(larger) * max(pairs[index][1] for index in larger)
        source = len(larger) * max(pairs[index][0] for index in larger)
        assert target > budget or source > sampler.SOURCE_BUDGET * budget


def test_a_pair_longer_than_the_budget_is_a_step() -> None:
    epoch_steps = steps(plan([(3, 3), (500, 500), (3, 3), (900, 2)], 10))
    assert [1] in epoch_steps
    assert [3] in epoch_steps
    assert sorted(index for step in epoch_steps for index in step) == [0, 1, 2, 3]


def test_steps_hold_pairs_of_similar_lengths() -> None:
    pairs = random_lengths(5_000)
    epoch_steps = steps(plan(pairs, 1_000))
    pieces = sum(target for _, target in pairs)
    padded = sum(len(step) * max(pairs[index][1] for index in step) for step in epoch_steps)
    assert pieces / padded > 0.98
    padded_sources = sum(len(step) * max(pairs[index][0] for index in step) for step in epoch_steps)
    assert sum(source for source, _ in pairs) / padded_sources > 0.85
    assert pieces / (1_000 * len(epoch_steps)) > 0.9


def test_the_same_seed_and_epoch_give_the_same_steps() -> None:
    pairs = random_lengths(300)
    first = steps(plan(pairs, 200, seed=3, epoch=2))
    assert steps(plan(pairs, 200, seed=3, epoch=2)) == first
    assert steps(plan(pairs, 200, seed=4, epoch=2)) != first
    assert steps(plan(pairs, 200, seed=3, epoch=3)) != first
    assert steps(plan(pairs, 200, seed=2, epoch=3)) != first


def test_a_plan_does_not_use_global_random_numbers() -> None:
    np.random.seed(1)  # noqa: NPY002 - the global state is tested
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first = steps(plan(random_lengths(100)))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert steps(plan(random_lengths(100))) == first


def test_steps_are_in_random_order() -> None:
    pairs = random_lengths(2_000)
    means = [np.mean([pairs[index][1] for index in step]) for step in steps(plan(pairs, 300))]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.2
    assert means != sorted(means)


def test_equal_pairs_are_combined_differently_in_each_epoch() -> None:
    pairs = [(5, 5)] * 100
    combinations = [{frozenset(step) for step in steps(plan(pairs, 50, epoch=epoch))} for epoch in range(2)]
    assert len(combinations[0] & combinations[1]) < 3


def test_pools_contain_every_pair_once(monkeypatch) -> None:
    monkeypatch.setattr(sampler, "POOL", 64)
    pairs = random_lengths(1_000)
    epoch_steps = steps(plan(pairs, 200))
    assert sorted(index for step in epoch_steps for index in step) == list(range(1_000))


@settings(max_examples=100, deadline=None)
@given(lengths, st.integers(1, 300), st.integers(1, 5))
def test_shares_add_up_to_the_step_and_its_loss(pairs, budget, count) -> None:
    epoch_plan = plan(pairs, budget)
    for step, step_pairs in enumerate(steps(epoch_plan)):
        shares = [epoch_plan.share(step, number, count) for number in range(count)]
        indices = [index for share in shares if not share.masked for index in share.indices.tolist()]
        assert sorted(indices) == sorted(step_pairs)
        labels = sum(pairs[index][1] for index in step_pairs)
        for share in shares:
            assert len(share.indices) >= 1
            assert set(share.indices.tolist()) <= set(step_pairs)
            assert share.loss_divisor * count == pytest.approx(labels)
        # The mean of the shares' losses, each divided by its divisor, is the mean over all labels.
        losses = [sum(pairs[index][1] for index in share.indices) for share in shares if not share.masked]
        assert sum(loss / shares[0].loss_divisor for loss in losses) / count == pytest.approx(1.0)


def test_a_share_without_pairs_repeats_one_that_is_masked() -> None:
    epoch_plan = plan([(900, 900)], 10)
    shares = [epoch_plan.share(0, number, 3) for number in range(3)]
    assert [share.masked for share in shares] == [False, True, True]
    assert [share.indices.tolist() for share in shares] == [[0], [0], [0]]


def test_shares_have_similar_sizes() -> None:
    epoch_plan = plan(random_lengths(500), 400)
    for step in range(len(epoch_plan)):
        sizes = [
            0 if share.masked else len(share.indices)
            for share in (epoch_plan.share(step, number, 4) for number in range(4))
        ]
        assert max(sizes) - min(sizes) <= 1


def test_a_budget_of_one_piece_makes_every_pair_a_step() -> None:
    assert sorted(steps(plan(random_lengths(20), 1))) == [[index] for index in range(20)]


def test_an_epoch_needs_few_bytes_for_each_pair(monkeypatch) -> None:
    """Its order and the lengths of both sides, in small types; and as much again while it is made."""
    monkeypatch.setattr(sampler, "POOL", 10_000)
    random = np.random.default_rng(1)

    def size(count: int) -> tuple[int, int]:
        lengths = random.integers(1, 60, count).astype(np.int32)
        tracemalloc.start()
        try:
            plan = plan_epoch(lengths, lengths, batch_pieces=4_000, seed=1, epoch=0)
            assert len(plan) > 100
            return tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    count = 40_000
    (small, small_peak), (large, large_peak) = size(count), size(3 * count)
    assert (large - small) / (2 * count) < 6
    assert (large_peak - small_peak) / (2 * count) < 9


def test_the_order_does_not_depend_on_the_type_of_indices() -> None:
    lengths = np.arange(1, 50)
    numbers = np.arange(49)
    expected = steps(plan_epoch(lengths, lengths, batch_pieces=80, seed=3, epoch=2))
    for kind in (np.int32, np.int64):
        found = plan_epoch(lengths, lengths, batch_pieces=80, seed=3, epoch=2, pairs=numbers.astype(kind))
        assert steps(found) == expected
    shuffled = np.random.default_rng([3, 2]).permutation(49).tolist()
    whole = plan_epoch(np.ones(49, int), np.ones(49, int), batch_pieces=1_000, seed=3, epoch=2)
    assert steps(whole) == [shuffled]
