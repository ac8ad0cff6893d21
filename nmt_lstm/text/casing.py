"""Letter case as markers: words in lower case, so that all forms of a word share their pieces.

"Ein HUND" becomes "⇧ ein ⇪ hund": inline casing, as in Etchegoyhen and Gete 2020, "To Case or not to case: Evaluating
Casing Methods for Neural Machine Translation", and in the case markup of OpenNMT's Tokenizer. Any text is restored
exactly: a word whose case is not that of a marker, such as "iPhone" or "GROẞE", is written as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache

from nmt_lstm.config.symbols import CASE_MARKERS

__all__ = ["CaseMarkers", "LineCase"]

SHIFT, CAPS_LOCK = CASE_MARKERS

# Letters of the scripts that have two cases: Latin, Greek, Cyrillic, Armenian, and full-width Latin.
_LETTERS = "A-Za-zÀ-ÖØ-öø-ʯͰ-ͽΆ-ҁҊ-ԯԱ-Ֆՠ-ֈḀ-῾Ａ-Ｚａ-ｚ"
_WORD = re.compile(f"[{_LETTERS}]+")
# In a line all in upper or title case, "don't" is one word: its title case is "Don't".
_LINE_WORD = f"(?P<word>[{_LETTERS}]+(?:['’][{_LETTERS}]+)*)"
_MARKER = f"(?P<marker>[{''.join(CASE_MARKERS)}])"
_MARKED = re.compile(f"{_MARKER}(?:(?P<doubled>(?P=marker))| ?(?P<word>[{_LETTERS}]+))?")
# With fewer words in title case, a line may be a name; a single word in upper case that is no longer, an acronym.
MIN_TITLE_WORDS = 4
MAX_ACRONYM = 5


class LineCase(Enum):
    """The case of a line whose words are all in upper or title case, such as a headline."""

    UPPER = CAPS_LOCK
    TITLE = SHIFT

    @classmethod
    def of(cls, line: str) -> LineCase | None:
        """Return the case of a line; None if its words are written as usual."""
        return cls.of_words([match["word"] for match in re.finditer(_LINE_WORD, line)])

    @classmethod
    def of_words(cls, words: Sequence[str]) -> LineCase | None:
        """Return the case of a line with these words."""
        is_sentence = len(words) > 1 or len("".join(words)) > MAX_ACRONYM
        if is_sentence and any(len(word) > 1 for word in words) and all(word.isupper() for word in words):
            return cls.UPPER
        if len(words) >= MIN_TITLE_WORDS and all(word == _cased(word.lower(), SHIFT) for word in words):
            return cls.TITLE
        return None


class CaseMarkers:
    """Writes text in lower case with markers, and restores it.

    A marker stands before its word, and before the space if the word follows one: "⇧ hund", but "(⇧hund)". So pieces
    such as "▁hund" stay whole. A marker that is part of the text is doubled.

    Args:
        symbols: parts of text that stay as they are; without markers.
    """

    def __init__(self, symbols: Sequence[str] = ()) -> None:
        longest_first = sorted(map(re.escape, symbols), key=len, reverse=True)
        known = f"(?P<symbol>{'|'.join(longest_first)})|" if symbols else ""
        self._line_words = re.compile(f"{known}{_LINE_WORD}")
        self._written = re.compile(f"{known}(?P<space>^| )?(?P<word>[{_LETTERS}]+)|{_MARKER}")

    def write(self, text: str) -> str:
        """Return a text in lower case with markers.

        Args:
            text: composed (NFC), on one line.
        """
        return self._written.sub(_marked, text)

    def lowered(self, text: str) -> str:
        """Return a text with all words in lower case, without markers."""
        return self._with_words(text, str.lower)

    def line_case(self, text: str) -> LineCase | None:
        """Return the case of a line, whatever that of its symbols is."""
        matches = self._line_words.finditer(text)
        return LineCase.of_words([match["word"] for match in matches if match["word"]])

    def in_case(self, text: str, case: LineCase) -> str:
        """Return a text whose words are all in a case."""
        return self._with_words(text, lambda word: _cased(word, case.value))

    def read(self, text: str) -> str:
        """Return the text that was written so; markers without a word, which a network may produce, are left out."""
        return _MARKED.sub(_restored, text)

    def _with_words(self, text: str, change: Callable[[str], str]) -> str:
        return self._line_words.sub(lambda match: change(match[0]) if match["word"] else match[0], text)


def _marked(match: re.Match[str]) -> str:
    if match["marker"]:
        return match["marker"] * 2
    word = match["word"]
    marker = _marker_of(word) if word else ""
    if not marker:
        return match[0]
    space = match["space"]
    return f"{marker}{word.lower()}" if space is None else f"{space}{marker} {word.lower()}"


@lru_cache(maxsize=65_536)
def _marker_of(word: str) -> str:
    """Return the marker with which a word is restored from its lower case; empty if none is needed, or none does."""
    lowered = word.lower()
    if lowered == word or _WORD.fullmatch(lowered) is None:
        return ""
    return next((marker for marker in CASE_MARKERS if _cased(lowered, marker) == word), "")


def _restored(match: re.Match[str]) -> str:
    if match["doubled"]:
        return match["marker"]
    return _cased(match["word"], match["marker"]) if match["word"] else ""


def _cased(word: str, marker: str) -> str:
    return word.upper() if marker == CAPS_LOCK else word[:1].upper() + word[1:]
