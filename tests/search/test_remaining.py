"""All sentences that are not done stay in a batch, and their number is rounded up to one of few."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm.search.remaining import remaining_sentences, rows_of_sentences


@pytest.mark.parametrize("count", [1, 5, 9, 17, 40])
def test_unfinished_sentences_stay_in_one_of_few_numbers(count) -> None:
    numbers = set()
    for unfinished in range(1, count + 1):
        done = np.arange(count) >= unfinished
        staying = remaining_sentences(done)
        assert staying[~done].all()
        numbers.add(int(staying.sum()))
    # Each number up to 8, then four for each doubling.
    assert len(numbers) == {1: 1, 5: 5, 9: 9, 17: 13, 40: 17}[count]
    assert not remaining_sentences(np.ones(count, np.bool_)).any()


def test_sentences_that_left_have_no_row() -> None:
    assert rows_of_sentences(np.array([1, 4]), 6).tolist() == [-1, 0, -1, -1, 1, -1]
