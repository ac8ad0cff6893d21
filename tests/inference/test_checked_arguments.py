"""Arguments of a translator are checked before any work."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, NotTextError
from nmt_lstm.inference.checked_arguments import check_lines, check_positive, checked_text, with_beam_size


@pytest.mark.parametrize("value", ["eins zwei", b"eins zwei", None, 5])
def test_lines_must_be_a_list_of_strings(value) -> None:
    with pytest.raises(ConfigurationError, match="targets is .* list") as caught:
        check_lines(sources=["eins"], targets=value)
    assert (caught.value.key, caught.value.value) == ("targets", value)


def test_any_iterable_of_lines_is_accepted() -> None:
    check_lines(lines=iter(["eins"]), others=("zwei",))


@pytest.mark.parametrize("value", [0, -1, 2.5, "2", True, None])
def test_sizes_must_be_positive_whole_numbers(value) -> None:
    with pytest.raises(ConfigurationError, match="window is .* whole number") as caught:
        check_positive(batch_size=1, window=value)
    assert (caught.value.key, caught.value.value) == ("window", value)


@pytest.mark.parametrize("value", [None, b"eins", 5])
def test_a_line_must_be_a_string(value) -> None:
    assert checked_text(3, "eins") == "eins"
    with pytest.raises(NotTextError) as caught:
        checked_text(3, value)
    assert (caught.value.number, caught.value.value) == (3, value)


def test_the_beam_size_replaces_that_of_the_settings() -> None:
    settings = SearchSettings(beam_size=5, length_penalty="wu")
    assert with_beam_size(settings, None) is settings
    assert with_beam_size(settings, 2) == SearchSettings(beam_size=2, length_penalty="wu")
    with pytest.raises(ConfigurationError, match="beam_size is 0") as caught:
        with_beam_size(settings, 0)
    assert caught.value.key == "beam_size"
