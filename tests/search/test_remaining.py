"""Which sentences stay in a batch: all that are not done, filled up to one of few numbers."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm.search.remaining import remaining, row_numbers


@pytest.mark.parametrize("count", [1, 5, 9, 17, 40])
def test_those_that_are_not_done_stay_and_few_numbers_come_up(count) -> None:
    numbers = set()
    for left in range(1, count + 1):
        done = np.arange(count) >= left
        stays = remaining(done)
        assert stays[~done].all()
        numbers.add(int(stays.sum()))
    # Each number up to 8, then four for each doubling.
    assert len(numbers) == {1: 1, 5: 5, 9: 9, 17: 13, 40: 17}[count]
    assert not remaining(np.ones(count, np.bool_)).any()


def test_rows_of_those_that_left_have_no_number() -> None:
    assert row_numbers(np.array([1, 4]), 6).tolist() == [-1, 0, -1, -1, 1, -1]
