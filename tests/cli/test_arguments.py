"""Options that several commands share: pairs, time limits, and plugins to load."""

from __future__ import annotations

import pytest

from nmt_lstm.cli.arguments import load_plugins, parse_lengths, parse_pairs, parse_time_limit
from nmt_lstm.errors import ConfigurationError, PluginError


def test_pairs_are_split_at_the_first_equals_sign():
    assert parse_pairs(["a = 1", "b=x=y"], "--fact") == {"a": "1", "b": "x=y"}
    assert parse_pairs(None, "--fact") == {}


@pytest.mark.parametrize("text", ["seed", "=1", " =1"])
def test_a_pair_without_name_or_value_is_an_error(text):
    with pytest.raises(ConfigurationError, match="seed=1") as caught:
        parse_pairs([text], "--fact", "seed=1")
    assert (caught.value.key, caught.value.value) == ("--fact", text)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("1h30m", 5400.0), ("", None), (None, None)])
def test_a_time_limit_is_a_duration_or_nothing(text, seconds):
    assert parse_time_limit(text) == seconds


def test_an_invalid_time_limit_is_an_error():
    with pytest.raises(ConfigurationError, match="duration") as caught:
        parse_time_limit("soon")
    assert (caught.value.key, caught.value.value) == ("--time-limit", "soon")


@pytest.mark.parametrize(("text", "word"), [("50,x", "x"), ("0", "0"), ("5,", ""), ("100001", "100001")])
def test_lengths_are_whole_numbers(text, word):
    assert parse_lengths("50, 100") == [50, 100]
    with pytest.raises(ConfigurationError, match="--lengths") as caught:
        parse_lengths(text)
    assert caught.value.value == word


def test_a_plugin_file_must_exist(tmp_path):
    load_plugins(None)
    with pytest.raises(PluginError, match="does not exist"):
        load_plugins([tmp_path / "none.py"])
