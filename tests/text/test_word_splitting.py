"""Words and punctuation marks are separated, and joined again exactly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.text.word_splitting import WordSplitter

SYMBOLS = ("<b>", "{name}")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Hund (klein).", "Hund (￭ klein ￭) ￭."),
        ("T-Shirt 3.5", "T ￭-￭ Shirt 3 ￭.￭ 5"),
        ("x<b>y{name}<b>.", "x ￭ <b> ￭ y ￭ {name} ￭ <b> ￭."),
        ("... a", ". ￭. ￭. a"),
        ("नमस्ते दुनिया", "नमस्ते दुनिया"),
        ("「日本」", "「￭ 日本 ￭」"),
        ("", ""),
    ],
)
def test_units_are_separated(text, written) -> None:
    splitter = WordSplitter(SYMBOLS)
    assert splitter.write(text) == written
    assert splitter.read(written) == text


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.text("ab.-( 'é私<>{}", max_size=12), st.text(max_size=30)))
def test_any_text_is_joined_again(text) -> None:
    splitter = WordSplitter(SYMBOLS)
    expected = " ".join(part for part in text.replace("￭", "■").split(" ") if part)
    assert splitter.read(splitter.write(text)) == expected
