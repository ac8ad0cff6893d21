"""Characters that look like a blank or like nothing: made plain, so that the words beside them keep their pieces.

========================================  ==========================
U+00A0, U+202F (no-break spaces)          a blank
U+2000 to U+200A, U+205F (other widths)   a blank
U+3000 (ideographic space)                a blank between Latin letters and the like; kept beside Chinese, Japanese and
                                          Korean characters, which write it
U+00AD (soft hyphen)                      left out
U+200B, U+2060, U+FEFF (no width)         left out
U+200C, U+200D (joiners)                  kept: Persian, Hindi, emoji and others are spelled with them
========================================  ==========================
"""

from __future__ import annotations

import re

__all__ = ["invisible_characters", "without_invisible_characters"]

_BLANK = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
_NOTHING = re.compile("[\u00ad\u200b\u2060\ufeff]")
# Radicals to Yi with all kana and punctuation, Hangul, compatibility and full-width forms, and the rarer ideographs. The
# ideographic space is one of them, so that a run of it is taken whole.
_EAST_ASIAN = (
    "\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
)
_WESTERN_WIDE_BLANK = re.compile(f"(?<![{_EAST_ASIAN}])\u3000+(?![{_EAST_ASIAN}])")
_ANY = re.compile(f"{_BLANK.pattern}|{_NOTHING.pattern}|{_WESTERN_WIDE_BLANK.pattern}")


def invisible_characters(line: str) -> list[str]:
    """Return the characters that `without_invisible_characters` would change, in the order of the line."""
    return [] if line.isascii() else [character for run in _ANY.findall(line) for character in run]


def without_invisible_characters(line: str) -> str:
    """Return a line with plain blanks for other spaces, and without what has no width; see the table above."""
    if line.isascii() or _ANY.search(line) is None:
        return line
    # What has no width goes first: it must not stand between an ideographic space and its neighbours.
    return _WESTERN_WIDE_BLANK.sub(" ", _BLANK.sub(" ", _NOTHING.sub("", line)))
