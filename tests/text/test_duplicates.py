"""Repeated pairs are found exactly, in a table of known size."""

from __future__ import annotations

import random

import numpy as np
import pytest

from nmt_lstm.text import duplicates
from nmt_lstm.text.duplicates import SeenPairs, digests_of


@pytest.mark.parametrize("expected", [0, 1_000, 50_000])
def test_repeated_pairs_are_those_of_a_set(expected) -> None:
    draw = random.Random(1)
    pairs = [(str(draw.randrange(6_000)), draw.choice("ab")) for _ in range(20_000)]
    table, seen = SeenPairs(expected), set()
    for start in range(0, len(pairs), 700):
        chunk = pairs[start : start + 700]
        new = []
        for pair in chunk:
            new.append(pair not in seen)
            seen.add(pair)
        assert table.add(digests_of(chunk)).tolist() == new
        assert len(table) == len(seen)


def test_digests_that_agree_in_one_part_are_different() -> None:
    parts = [(5, 1), (5, 2), (6, 1), (5, 1), (0, 3), (0, 4), (0, 3)]
    digests = np.array(parts, duplicates.DIGEST)
    table = SeenPairs(10)
    assert table.add(digests).tolist() == [True, True, True, False, True, True, False]
    assert not table.add(digests).any()


def test_the_boundary_between_source_and_target_distinguishes_pairs() -> None:
    pairs = [("a b", "c"), ("a", "b c"), ("ab", "c"), ("a", "bc"), ("", ""), ("a b", "c")]
    assert SeenPairs(6).add(digests_of(pairs)).tolist() == [True] * 5 + [False]


def test_the_table_has_18_bytes_for_each_expected_pair_and_grows_for_more() -> None:
    table = SeenPairs(100_000)
    assert table.nbytes == pytest.approx(1_800_000, rel=0.001)
    before = table.nbytes
    table.add(digests_of([(str(number), "") for number in range(100_000)]))
    assert table.nbytes == before
    table.add(digests_of([("more", str(number)) for number in range(60_000)]))
    assert len(table) == 160_000
    assert not table.add(digests_of([(str(number), "") for number in range(0, 100_000, 97)])).any()


def test_no_pairs_are_no_digests() -> None:
    assert SeenPairs().add(digests_of([])).tolist() == []
