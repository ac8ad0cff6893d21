"""Text made safe for a terminal, a JSON file or a spreadsheet, lists and counts in words, and rows aligned in columns."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Any

from rich.cells import cell_len

__all__ = ["UNSAFE", "cell_text", "columns", "count_of", "joined_names", "json_text", "printable"]

# Control characters of C0 and C1 except tab and line feed, which can move the cursor, rename the window or make the
# terminal send an answer; the line separators of Unicode; its controls of writing direction (Bidi_Control), which
# disguise a text as a different one; and lone surrogates, which stand for invalid bytes in file names.
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Line-based programs split at some of these, and a terminal treats U+009B as ESC [.
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Spreadsheets evaluate a cell that begins with one of these as a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    r"""Return text for a terminal, with escapes such as ``\x1b`` or ``\u202e`` for characters that would control it."""
    return UNSAFE.sub(_escape, text)


def json_text(values: Any, *, indent: int | None = None) -> str:
    """Return JSON whose strings contain no control characters and no line separators of any kind."""
    # Outside strings JSON is ASCII, so every match is inside a string, where the escape means the same.
    return _UNSAFE_IN_JSON.sub(
        lambda match: f"\\u{ord(match[0]):04x}", json.dumps(values, indent=indent, ensure_ascii=False)
    )


def cell_text(text: str) -> str:
    """Return text for a cell of a spreadsheet, with an apostrophe before anything it would evaluate as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def joined_names(names: Sequence[str], word: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"; empty if there is no name."""
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def count_of(number: int, noun: str, *, plural: str = "") -> str:
    """Return "1 thread", "2 threads"; a plural that is not formed with an s is given."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def columns(rows: Sequence[Sequence[str]], *, right: Collection[int] | None = (), indent: str = "") -> str:
    """Return rows as columns two spaces apart, aligned on a terminal even if they contain wide characters.

    Args:
        rows: lists of cells, all of the same length.
        right: indices of the columns that are aligned right, such as numbers; None is all but the first.
        indent: written before each line.
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    if right is None:
        right = range(1, len(widths))
    lines = []
    for row in rows:
        cells = []
        for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
            padding = " " * (width - cell_len(cell))
            cells.append(padding + cell if index in right else cell + padding)
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
