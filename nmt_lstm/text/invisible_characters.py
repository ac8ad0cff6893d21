"""Special spaces and zero-width characters: replaced or dropped, so that adjacent words keep their pieces.

========================================  ==========================
U+00A0, U+202F (no-break spaces)          become a space
U+2000 to U+200A, U+205F (other widths)   become a space
U+3000 (ideographic space)                kept next to Chinese, Japanese and Korean characters, which are written with
                                          it; becomes a space elsewhere
U+00AD (soft hyphen)                      dropped
U+200B, U+2060, U+FEFF (zero width)       dropped
U+200C, U+200D (joiners)                  kept: they are part of the spelling of Persian, Hindi, emoji and others
========================================  ==========================
"""

from __future__ import annotations

import re

__all__ = ["invisible_characters", "without_invisible_characters"]

_SPACE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
_ZERO_WIDTH = re.compile("[\u00ad\u200b\u2060\ufeff]")
# Radicals to Yi with all kana and punctuation, Hangul, compatibility and full-width forms, and the rarer ideographs. They
# include the ideographic space itself, so that a run of it is replaced as a whole.
_EAST_ASIAN = (
    "\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
)
_WESTERN_IDEOGRAPHIC_SPACE = re.compile(f"(?<![{_EAST_ASIAN}])\u3000+(?![{_EAST_ASIAN}])")
_ANY = re.compile(f"{_SPACE.pattern}|{_ZERO_WIDTH.pattern}|{_WESTERN_IDEOGRAPHIC_SPACE.pattern}")


def invisible_characters(line: str) -> list[str]:
    """Return the characters that `without_invisible_characters` would change, in the order of the line."""
    return [] if line.isascii() else [character for run in _ANY.findall(line) for character in run]


def without_invisible_characters(line: str) -> str:
    """Return a line with special spaces replaced and zero-width characters dropped, as the table above says."""
    if line.isascii() or _ANY.search(line) is None:
        return line
    # Zero-width characters are dropped first: they must not separate an ideographic space from its neighbours.
    return _WESTERN_IDEOGRAPHIC_SPACE.sub(" ", _SPACE.sub(" ", _ZERO_WIDTH.sub("", line)))
