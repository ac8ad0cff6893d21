"""Settings of the search that contradict each other."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.search.setting_checks import check_search


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"beam_groups": 2, "beam_size": 5}, "search.beam_groups"),
        ({"beam_groups": 5, "method": "sampling"}, "search.beam_groups"),
        ({"diversity": 0.7}, "search.diversity"),
        ({"top_k": 10}, "search.top_k"),
        ({"min_length_ratio": 3.0}, "search.min_length_ratio"),
    ],
)
def test_contradictions_are_named(settings, key) -> None:
    with pytest.raises(ConfigurationError, match=key) as error_info:
        check_search(SearchSettings(**settings))
    assert error_info.value.key == key
    assert error_info.value.value == settings[key.removeprefix("search.")]


@pytest.mark.parametrize(
    "settings",
    [{}, {"beam_groups": 5}, {"beam_groups": 3, "beam_size": 6, "diversity": 0.2}, {"method": "sampling"}],
)
def test_others_pass(settings) -> None:
    check_search(SearchSettings(**settings))


def test_a_beam_size_that_fits_the_groups_is_named() -> None:
    with pytest.raises(ConfigurationError, match="such as 8"):
        check_search(SearchSettings(beam_groups=4))
