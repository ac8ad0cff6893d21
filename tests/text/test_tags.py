"""Tags are symbols of the vocabulary; unknown ones are refused, as are those of ordinary text."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import DataSettings, SubwordSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.subwords import train_subwords
from nmt_lstm.text.tags import tag_pieces, tag_warnings, with_tags

LINES = [f"a line {number}" for number in range(200)]
PAIRS = [("ein Hund", "a dog"), ("zwei Katzen", "two cats")] * 10


def test_tags_extend_the_symbols_once() -> None:
    settings = SubwordSettings(user_defined_symbols=["<2de>", "{x}"])
    assert with_tags(settings, ()) is settings
    assert with_tags(settings, ("<2fr>", "<2de>")).user_defined_symbols == ["<2de>", "{x}", "<2fr>"]


def test_a_tag_is_one_piece_and_an_unknown_one_is_refused() -> None:
    settings = with_tags(SubwordSettings(vocabulary_size=290), ("<2de>", "<2fr>"))
    vocabulary = train_subwords(lambda: PAIRS, settings, len(PAIRS), 1).source
    assert tag_pieces(vocabulary, "") == ()
    (piece,) = tag_pieces(vocabulary, "<2de>")
    assert vocabulary.pieces([piece]) == ["<2de>"]
    with pytest.raises(ConfigurationError, match="Did you mean '<2fr>'") as caught:
        tag_pieces(vocabulary, "<2fx>")
    assert (caught.value.value, caught.value.known) == ("<2fx>", ("<2de>", "<2fr>"))


def data(*tags: str, validation: str = "", stream: str = "") -> DataSettings:
    """Two sides of a text for each tag, and a validation set."""
    return DataSettings(
        corpora=[{"name": f"text {tag}", "source": "s", "target": "t", "tag": tag} for tag in tags],
        validation=[{"name": "set", "source": "s", "target": "t", "tag": validation}],
        stream=stream,
    )


@pytest.mark.parametrize("tag", ["a", "line", "12"])
def test_a_tag_that_is_a_part_of_the_text_is_refused(tag: str) -> None:
    with pytest.raises(ConfigurationError, match=f"such as <{tag}>") as caught:
        tag_warnings(data(tag, validation=tag), [LINES], [[]])
    assert caught.value.value == tag


def test_a_tag_that_text_contains_now_and_then_is_reported() -> None:
    (warning,) = tag_warnings(data("<2de>", validation="<2de>"), [[*LINES, "the tag <2de>"]], [[]])
    assert "1 of the first 201 source lines of 'text <2de>'" in warning


def test_lines_that_begin_with_a_tag_are_taught() -> None:
    lines = [f"<2de> {line}" for line in LINES]
    assert tag_warnings(data("", validation="<2de>"), [lines], [[]]) == []
    with pytest.raises(ConfigurationError, match="200 of the first 200"):  # they would have it twice
        tag_warnings(data("<2de>"), [lines], [[]])


def test_a_tag_of_validation_that_training_lacks_is_reported() -> None:
    (warning,) = tag_warnings(data("<2de>", validation="<2fr>"), [LINES], [[]])
    assert "'<2fr>'" in warning
    assert "'set'" in warning
    assert tag_warnings(data(validation="<2fr>", stream="-"), [], [[]]) == []


def test_validation_without_a_tag_is_reported_if_training_always_has_one() -> None:
    (warning,) = tag_warnings(data("<2de>", "<2fr>"), [LINES, LINES], [LINES])
    assert "has none" in warning
    assert "<2de>, <2fr>" in warning
    assert tag_warnings(data("<2de>", ""), [LINES, LINES], [LINES]) == []
    assert tag_warnings(data("<2de>"), [LINES], [["<2de> a line"]]) == []
