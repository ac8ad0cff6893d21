"""Phrases are whole words, and found anywhere in scripts without spaces."""

from __future__ import annotations

import pytest

from nmt_lstm.text.phrases import contains_phrase, is_spaced_letter, phrase_spans


@pytest.mark.parametrize(
    ("text", "phrase", "contained"),
    [
        ("the red car", "red car", True),
        ("the red cars", "red car", False),
        ("hundred cars, a car.", "car", True),
        ("scared", "red", False),
        ("犬は寝ている", "は寝", True),
        ("(a) b", "(a)", True),
        ("rocar car", "car", True),
        ("", "a", False),
    ],
)
def test_phrases_are_whole_words(text, phrase, contained) -> None:
    assert contains_phrase(text, phrase) is contained


def test_each_occurrence_has_its_place() -> None:
    assert list(phrase_spans("a cat, a catalogue, a cat", "a cat")) == [(0, 5), (20, 25)]
    assert list(phrase_spans("ああああ", "ああ")) == [(0, 2), (2, 4)]


@pytest.mark.parametrize(
    ("character", "spaced"),
    [("a", True), ("ж", True), ("7", True), ("犬", False), ("か", False), ("-", False)],
)
def test_letters_of_scripts_with_spaces_are_told_apart(character, spaced) -> None:
    assert is_spaced_letter(character) is spaced
