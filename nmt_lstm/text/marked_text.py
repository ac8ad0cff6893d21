"""Text whose marks (tags, placeholders, and whatever else is not translated) are set apart from what is translated.

A mark is a point between two characters or encloses a span of them. Positions count the characters that are not spaces, so
that they survive every change of spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from nmt_lstm.text.lines import single_line
from nmt_lstm.text.phrases import is_spaced_letter

__all__ = ["CLOSING_SIGNS", "Item", "Kind", "Mark", "MarkedText", "marked_text", "solid_length"]

CLOSING_SIGNS = frozenset(".,;:!?…)]}»”’%、。，！？：；）］｝」』")
"""Punctuation that follows a word without a space."""
_SPACES = re.compile(r"\s+")


class Kind(Enum):
    """What a part of a text is."""

    TEXT = "text"
    """To be translated."""
    WORD = "word"
    """Not translated; it stands in the sentence like a word."""
    POINT = "point"
    """Not translated and without a place of its own in the sentence, such as a tag without an end."""
    OPEN = "open"
    """Begins an element."""
    CLOSE = "close"
    """Ends the element that was begun last."""


@dataclass(frozen=True)
class Item:
    """A part of a text."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Mark:
    """What is not translated, and where it stands.

    Attributes:
        start: how many characters, other than spaces, are before it.
        end: how many are before its end; `start` for a word or a point.
        opening: its text, or the tag that begins it.
        closing: the tag that ends it; empty for a word or a point.
        is_word: whether it stands in the sentence like a word, with spaces around it.
        left: the character before a word or point; a space, or empty at the beginning.
        right: the character after it.
        marks: those within it, in order.
    """

    start: int
    end: int
    opening: str
    closing: str = ""
    is_word: bool = False
    left: str = ""
    right: str = ""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class MarkedText:
    """A text to translate on one line, with single spaces, and its marks in order; those within others are there."""

    text: str
    marks: tuple[Mark, ...]

    @property
    def is_translatable(self) -> bool:
        """Whether there is a letter or a digit to translate."""
        return any(map(str.isalnum, self.text))


def solid_length(text: str) -> int:
    """Return the number of characters that are not spaces."""
    return sum(not character.isspace() for character in text)


@dataclass
class _Open:
    start: int
    opening: str
    marks: list[Mark] = field(default_factory=list)


def marked_text(items: Iterable[Item]) -> MarkedText:
    """Return the text of items, without what is not translated.

    Args:
        items: every OPEN has its CLOSE, and they are nested.
    """
    items = [item for item in items if item.text]
    following = _following(items)
    text, solid = "", 0
    before = ""  # the last character before an item that is not in a tag
    after_word = False
    levels = [_Open(0, "")]
    for item, after in zip(items, following, strict=True):
        if item.kind is Kind.TEXT:
            part = _line(item.text)
            if after_word and text and part.strip():
                text = _joint(text, part)
            text += part.removeprefix(" ") if not text or text.endswith(" ") else part
            solid += solid_length(part)
            before = part[-1]
            after_word = after_word and part == " "
        elif item.kind is Kind.OPEN:
            levels.append(_Open(solid, item.text))
        elif item.kind is Kind.CLOSE:
            level = levels.pop()
            levels[-1].marks.append(
                Mark(level.start, solid, level.opening, item.text, marks=tuple(level.marks))
            )
        else:
            is_word = item.kind is Kind.WORD
            levels[-1].marks.append(Mark(solid, solid, item.text, is_word=is_word, left=before, right=after))
            if is_word:
                before, after_word = item.text[-1], True
    return MarkedText(text.strip(), tuple(levels[0].marks))


def _line(text: str) -> str:
    return _SPACES.sub(" ", single_line(text))


def _following(items: Sequence[Item]) -> list[str]:
    """Return the first character after each item that is not in a tag."""
    following, after = [], ""
    for item in reversed(items):
        following.append(after)
        if item.kind is Kind.TEXT:
            after = _line(item.text)[0]
        elif item.kind is Kind.WORD:
            after = item.text[0]
    return following[::-1]


def _joint(text: str, part: str) -> str:
    """Return the text as it continues with `part` where a word between them was left out."""
    if text.endswith(" "):
        return text.removesuffix(" ") if part[0] in CLOSING_SIGNS else text
    return text + " " if is_spaced_letter(text[-1]) and is_spaced_letter(part[0]) else text
