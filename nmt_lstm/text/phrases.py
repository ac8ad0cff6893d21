"""Phrases in a text as whole words; anywhere, in scripts that are written without spaces."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator

__all__ = ["contains_phrase", "is_spaced_letter", "phrase_spans"]

# Beginnings of the Unicode names of scripts without spaces: words in them have no visible ends.
_SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


@functools.lru_cache(maxsize=65_536)
def is_spaced_letter(character: str) -> bool:
    """Return whether a character is a letter or digit of a script that separates words by spaces."""
    return character.isalnum() and not unicodedata.name(character, "").startswith(_SPACELESS)


def phrase_spans(text: str, phrase: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each occurrence of a phrase that is not a part of longer words; none overlap.

    Args:
        text: any text.
        phrase: not empty, without spaces at its ends.
    """
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        begins = start == 0 or not (is_spaced_letter(phrase[0]) and is_spaced_letter(text[start - 1]))
        ends = end == len(text) or not (is_spaced_letter(phrase[-1]) and is_spaced_letter(text[end]))
        if begins and ends:
            yield start, end
        start = text.find(phrase, end if begins and ends else start + 1)


def contains_phrase(text: str, phrase: str) -> bool:
    """Return whether a phrase occurs in a text; see `phrase_spans`."""
    return next(phrase_spans(text, phrase), None) is not None
