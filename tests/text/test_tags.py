"""Tags are symbols of the vocabulary, and unknown ones are refused with those that there are."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.subwords import train_subwords
from nmt_lstm.text.tags import tag_pieces, with_tags

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
