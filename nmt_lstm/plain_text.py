"""Plain text: safe for where it goes, be it a terminal, a JSON file or a spreadsheet, and set in columns."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

__all__ = ["UNSAFE", "cell_text", "columns", "json_text", "printable"]

# Control characters of C0 and C1 but for tab and line feed, which can move the cursor, rename the window or answer a
# question of the terminal; the line ends of Unicode; the controls of writing direction (Unicode's Bidi_Control), which
# make a text look like a different one; and lone surrogates, which file names with invalid bytes have.
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Programs that read lines break them at these, and terminals obey U+009B as they do ESC [.
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# With these a cell begins that spreadsheets take for a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    r"""Return text for a terminal: what would control it is written as an escape, such as ``\x1b`` or ``\u202e``."""
    return UNSAFE.sub(_escape, text)


def json_text(values: Any, *, indent: int | None = None) -> str:
    """Return JSON whose strings have neither control characters nor line ends of any kind."""
    # Outside of strings JSON is ASCII, so whatever is found is in a string, where the escape means the same.
    return _UNSAFE_IN_JSON.sub(
        lambda found: f"\\u{ord(found[0]):04x}", json.dumps(values, indent=indent, ensure_ascii=False)
    )


def cell_text(text: str) -> str:
    """Return text for a cell of a spreadsheet: an apostrophe before what would be taken for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def columns(rows: Sequence[Sequence[str]], *, right: Collection[int] | None = (), indent: str = "") -> str:
    """Return rows as columns two blanks apart, which stand in line on a terminal also beside wide characters.

    Args:
        rows: as many cells each.
        right: places of the columns whose cells end in line, such as numbers; None is all but the first.
        indent: before each line.
    """
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    if right is None:
        right = range(1, len(widths))
    lines = []
    for row in rows:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blanks = " " * (width - _width(cell))
            cells.append(blanks + cell if place in right else cell + blanks)
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    """Return how many places of a terminal a text takes: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
