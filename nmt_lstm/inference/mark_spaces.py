"""A translation with its marks as text: which spaces stand around words that were not translated."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nmt_lstm.inference.piece_offsets import SolidText
from nmt_lstm.inference.placement import Placed
from nmt_lstm.text.marked_text import CLOSING_SIGNS, Mark
from nmt_lstm.text.phrases import is_spaced_letter

__all__ = ["Part", "text_parts"]

_OPENING_SIGNS = frozenset("([{«„“‘¿¡")


class Part(NamedTuple):
    """A part of a translation."""

    text: str
    is_mark: bool


class _Run(NamedTuple):
    """Translated text between two positions."""

    start: int
    end: int


class _Tag(NamedTuple):
    text: str
    closes: bool
    is_detached: bool = False
    """Whether it was preceded by a space in the source, and stands after a space again."""


def text_parts(marks: Sequence[Placed], solids: Sequence[int], text: str) -> list[Part]:
    """Return a translation as parts of text and marks, in order.

    Args:
        marks: with their places.
        solids: (T + 1,): characters before each gap of the translation, without spaces.
        text: the translation.
    """
    solid = SolidText(text)
    parts: list[Part] = []
    tags: list[_Tag] = []
    last: _Run | Mark | None = None
    for element in _sequence(marks, solids, 0, len(solids) - 1):
        if isinstance(element, _Tag):
            tags.append(element)
            continue
        space = "" if last is None else _space(last, element, solid)
        parts += _with_space(tags, space)
        tags = []
        parts.append(
            Part(element.opening, True)
            if isinstance(element, Mark)
            else Part(solid.part(element.start, element.end), False)
        )
        last = element
    return [*parts, *_with_space(tags, "")]


def _sequence(
    marks: Sequence[Placed], solids: Sequence[int], start: int, end: int
) -> Iterator[_Run | Mark | _Tag]:
    for place in marks:
        if solids[start] < solids[place.start]:
            yield _Run(solids[start], solids[place.start])
        mark = place.mark
        if mark.closing:
            yield _Tag(mark.opening, closes=False)
            yield from _sequence(place.marks, solids, place.start, place.end)
            yield _Tag(mark.closing, closes=True)
        elif mark.is_word:
            yield mark
        else:
            yield _Tag(mark.opening, closes=False, is_detached=mark.left in {" ", ""})
        start = place.end
    if solids[start] < solids[end]:
        yield _Run(solids[start], solids[end])


def _with_space(tags: Sequence[_Tag], space: str) -> Iterator[Part]:
    """Yield tags, with a space after those that belong to the text before it."""
    for tag in tags:
        if space and not tag.closes and (not tag.text.startswith("</") or tag.is_detached):
            yield Part(space, False)
            space = ""
        yield Part(tag.text, True)
    if space:
        yield Part(space, False)


def _space(last: _Run | Mark, element: _Run | Mark, text: SolidText) -> str:
    """Return the space between two parts that a reader sees."""
    if isinstance(last, _Run):
        own = text.space(last.end)
        if isinstance(element, _Run):
            return own
        before = text.part(last.end - 1, last.end)
        return " " if _is_apart(element.left, before, own=own, follows=True) else ""
    if isinstance(element, _Run):
        after = text.part(element.start, element.start + 1)
        return " " if _is_apart(last.right, after, own=text.space(element.start), follows=False) else ""
    # Two words: together if they were.
    return "" if element.left == last.opening[-1:] else " "


def _is_apart(in_source: str, neighbour: str, *, own: str, follows: bool) -> bool:
    """Whether there is a space between a word and the character next to it.

    Args:
        in_source: the character that was next to the word in the source.
        neighbour: the one that is next to it in the translation.
        own: the space that the translation has there.
        follows: whether the word follows the character.
    """
    letters = is_spaced_letter(neighbour)
    if letters and in_source and is_spaced_letter(in_source):
        return False  # joined to a word, as in 10{unit}
    if own:
        return True
    if unicodedata.east_asian_width(neighbour) in "WF" or neighbour == in_source:
        return False
    return letters or neighbour in (CLOSING_SIGNS if follows else _OPENING_SIGNS)
