"""Length limits and score divisors of a batch's translations."""

from __future__ import annotations

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.limits import Limits


def test_limits_are_ratios_of_the_source_without_its_end_and_padding() -> None:
    settings = SearchSettings(min_length_ratio=0.5, max_length_ratio=1.5)
    limits = Limits(settings, source_batch([[4] * 5, [], [4] * 8]))
    assert limits.shortest.tolist() == [2, 0, 4]
    assert limits.longest.tolist() == [8 + 10, 10, 12 + 10]


def test_the_divisor_follows_the_settings() -> None:
    source = source_batch([[4]])
    assert Limits(SearchSettings(length_penalty="none"), source).divisor(7) == 1.0
    assert Limits(SearchSettings(length_penalty="average", alpha=0.5), source).divisor(9) == 3.0
