"""Settings of the search that contradict each other."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.search.setting_checks import check_effects, check_search


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


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "temperature"),
        ({}, "seed"),
        ({}, "samples"),
        ({"method": "sampling"}, "samples"),
        ({"method": "sampling"}, "beam_size"),
        ({"method": "sampling"}, "coverage_penalty"),
        ({"length_penalty": "none"}, "alpha"),
        ({"decision": "chrf", "beam_size": 1}, "decision"),
        ({}, "max_pieces"),
    ],
)
def test_a_setting_without_effect_is_refused_if_it_was_just_set(settings, name) -> None:
    search = SearchSettings(**settings)
    check_effects(search, [], has_source=True)
    with pytest.raises(ConfigurationError, match="has no effect") as error_info:
        check_effects(search, [name], has_source=True)
    assert error_info.value.key == f"search.{name}"


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"method": "sampling"}, ["method", "seed", "temperature", "top_k", "alpha"]),
        ({"method": "sampling", "decision": "bleu"}, ["samples", "decision"]),
        ({}, ["alpha", "beam_size", "method", "max_length_ratio"]),
    ],
)
def test_settings_with_an_effect_pass(settings, names) -> None:
    check_effects(SearchSettings(**settings), names, has_source=True)


@pytest.mark.parametrize("name", ["samples", "max_length_ratio", "coverage_penalty", "language_model_weight"])
def test_settings_of_translation_have_no_effect_on_a_language_model(name) -> None:
    with pytest.raises(ConfigurationError, match="no source text"):
        check_effects(SearchSettings(), [name], has_source=False)
    check_effects(SearchSettings(), ["max_pieces"], has_source=False)
