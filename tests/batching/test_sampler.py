"""Epoch plans: every pair once, within the budget, drawn from a seed, and shared out without loss."""

from __future__ import annotations

import itertools

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


def made_up(count: int, seed: int = 0, longest: int = 40) -> list[tuple[int, int]]:
    draw = np.random.default_rng(seed)
    sources = draw.integers(1, longest, count)
    return [(int(source), int(max(1, source + draw.integers(-2, 3)))) for source in sources]


@settings(max_examples=150, deadline=None)
@given(lengths, st.integers(1, 300))
def test_every_pair_comes_exactly_once(pairs, budget) -> None:
    found = [index for step in steps(plan(pairs, budget)) for index in step]
    assert sorted(found) == list(range(len(pairs)))


@settings(max_examples=150, deadline=None)
@given(lengths, st.integers(1, 300))
def test_no_step_is_empty_or_larger_than_the_budget_but_for_single_pairs(pairs, budget) -> None:
    for step in steps(plan(pairs, budget)):
        assert step
        if len(step) > 1:
            assert len(step) * max(pairs[index][1] for index in step) <= budget
            assert len(step) * max(pairs[index][0] for index in step) <= sampler.SOURCE_BUDGET * budget


@settings(max_examples=100, deadline=None)
@given(lengths, st.integers(1, 300))
def test_a_step_is_as_large_as_the_budget_allows(pairs, budget) -> None:
    """No two steps that follow each other in length would fit into one."""
    by_length = [sorted(step, key=lambda index: pairs[index][::-1]) for step in steps(plan(pairs, budget))]
    by_length.sort(key=lambda step: (pairs[step[-1]][::-1], pairs[step[0]][::-1], -len(step)))
    for one, (first, *_) in itertools.pairwise(by_length):
        grown = [*one, first]
        target = len(grown) * max(pairs[index][1] for index in grown)
        source = len(grown) * max(pairs[index][0] for index in grown)
        assert target > budget or source > sampler.SOURCE_BUDGET * budget


def test_a_pair_longer_than_the_budget_comes_alone() -> None:
    found = steps(plan([(3, 3), (500, 500), (3, 3), (900, 2)], 10))
    assert [1] in found
    assert [3] in found
    assert sorted(index for step in found for index in step) == [0, 1, 2, 3]


def test_steps_hold_pairs_of_like_length() -> None:
    pairs = made_up(5_000)
    found = steps(plan(pairs, 1_000))
    real = sum(target for _, target in pairs)
    room = sum(len(step) * max(pairs[index][1] for index in step) for step in found)
    assert real / room > 0.98
    source_room = sum(len(step) * max(pairs[index][0] for index in step) for step in found)
    assert sum(source for source, _ in pairs) / source_room > 0.85
    assert real / (1_000 * len(found)) > 0.9


def test_the_same_seed_and_epoch_give_the_same_steps() -> None:
    pairs = made_up(300)
    first = steps(plan(pairs, 200, seed=3, epoch=2))
    assert steps(plan(pairs, 200, seed=3, epoch=2)) == first
    assert steps(plan(pairs, 200, seed=4, epoch=2)) != first
    assert steps(plan(pairs, 200, seed=3, epoch=3)) != first
    assert steps(plan(pairs, 200, seed=2, epoch=3)) != first


def test_a_plan_draws_nothing_from_global_random_numbers() -> None:
    np.random.seed(1)  # noqa: NPY002 - the global state is what is looked at
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first = steps(plan(made_up(100)))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert steps(plan(made_up(100))) == first


def test_steps_come_in_random_order_and_not_by_length() -> None:
    pairs = made_up(2_000)
    means = [np.mean([pairs[index][1] for index in step]) for step in steps(plan(pairs, 300))]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.2
    assert means != sorted(means)


def test_equal_pairs_meet_others_in_another_epoch() -> None:
    pairs = [(5, 5)] * 100
    company = [{frozenset(step) for step in steps(plan(pairs, 50, epoch=epoch))} for epoch in range(2)]
    assert len(company[0] & company[1]) < 3


def test_pools_lose_no_pair(monkeypatch) -> None:
    monkeypatch.setattr(sampler, "POOL", 64)
    pairs = made_up(1_000)
    found = steps(plan(pairs, 200))
    assert sorted(index for step in found for index in step) == list(range(1_000))


@settings(max_examples=100, deadline=None)
@given(lengths, st.integers(1, 300), st.integers(1, 5))
def test_parts_make_up_the_step_and_the_loss(pairs, budget, parts) -> None:
    found = plan(pairs, budget)
    for step, whole in enumerate(steps(found)):
        shares = [found.share(step, part, parts) for part in range(parts)]
        indices = [index for share in shares if not share.masked for index in share.indices.tolist()]
        assert sorted(indices) == sorted(whole)
        labels = sum(pairs[index][1] for index in whole)
        for share in shares:
            assert len(share.indices) >= 1
            assert set(share.indices.tolist()) <= set(whole)
            assert share.loss_divisor * parts == pytest.approx(labels)
        # A mean over parts of sums over their divisors is the mean over all labels.
        losses = [sum(pairs[index][1] for index in share.indices) for share in shares if not share.masked]
        assert sum(loss / shares[0].loss_divisor for loss in losses) / parts == pytest.approx(1.0)


def test_a_part_without_a_pair_repeats_one_that_is_not_learnt_from() -> None:
    found = plan([(900, 900)], 10)
    shares = [found.share(0, part, 3) for part in range(3)]
    assert [share.masked for share in shares] == [False, True, True]
    assert [share.indices.tolist() for share in shares] == [[0], [0], [0]]


def test_parts_are_of_like_size() -> None:
    found = plan(made_up(500), 400)
    for step in range(len(found)):
        sizes = [
            0 if share.masked else len(share.indices)
            for share in (found.share(step, part, 4) for part in range(4))
        ]
        assert max(sizes) - min(sizes) <= 1


def test_a_budget_of_one_piece_makes_every_pair_a_step() -> None:
    assert sorted(steps(plan(made_up(20), 1))) == [[index] for index in range(20)]
