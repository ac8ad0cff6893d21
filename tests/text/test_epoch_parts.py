"""Weights of corpora: how often an epoch has each pair, and which ones."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nmt_lstm.text.epoch_parts import EpochPart, epoch_pairs, pairs_per_epoch


def test_each_pair_once_needs_no_choice() -> None:
    assert epoch_pairs([EpochPart(5, 1.0), EpochPart(7, 1.0)], seed=1, epoch=3) is None


def test_a_weight_of_two_has_each_pair_twice() -> None:
    pairs = epoch_pairs([EpochPart(5, 2.0), EpochPart(7, 1.0)], seed=1, epoch=4)
    assert Counter(pairs.tolist()) == {**dict.fromkeys(range(5), 2), **dict.fromkeys(range(5, 12), 1)}


def test_a_weight_of_a_quarter_has_different_quarters_in_four_epochs() -> None:
    parts = [EpochPart(3, 1.0), EpochPart(40, 0.25)]
    epochs = [epoch_pairs(parts, seed=1, epoch=epoch) for epoch in range(8)]
    assert {len(pairs) for pairs in epochs} == {pairs_per_epoch(parts)} == {13}
    for four in (epochs[:4], epochs[4:]):
        assert sorted(pair for pairs in four for pair in pairs if pair >= 3) == list(range(3, 43))
    assert set(epochs[0]) != set(epochs[4])


@pytest.mark.parametrize("weight", [0.3, 1.5, 2.7])
def test_no_pair_is_two_times_ahead_of_another(weight) -> None:
    parts = [EpochPart(17, weight)]
    counts = np.zeros(17, int)
    for epoch in range(9):
        counts += np.bincount(epoch_pairs(parts, seed=5, epoch=epoch), minlength=17)
        assert counts.max() - counts.min() <= 1
    assert counts.sum() == 9 * round(17 * weight)


def test_the_choice_depends_on_seed_and_epoch_alone() -> None:
    parts = [EpochPart(50, 0.5), EpochPart(50, 0.5)]
    one, other = (epoch_pairs(parts, seed=1, epoch=6) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert one.tolist() != epoch_pairs(parts, seed=2, epoch=6).tolist()
    # Corpora of the same size are drawn from in different orders.
    assert one[:25].tolist() != (one[25:] - 50).tolist()


def test_a_tiny_weight_has_one_pair_and_an_empty_corpus_none() -> None:
    assert pairs_per_epoch([EpochPart(10, 0.001), EpochPart(0, 3.0)]) == 1
    assert len(epoch_pairs([EpochPart(10, 0.001), EpochPart(0, 3.0)], seed=1, epoch=0)) == 1
