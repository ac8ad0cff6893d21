"""Whether a translation repeats itself, as networks do on input that they do not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["repeated_phrase"]

Piece = TypeVar("Piece", int, str)
REPETITIONS = 4
"""A phrase that is repeated this many times in a row is a mistake; numbers and exclamations have three."""


def repeated_phrase(pieces: Sequence[Piece], *, shortest: int = 1) -> list[Piece] | None:
    """Return the shortest phrase that stands four times in a row, None if there is none.

    Args:
        pieces: T pieces of a translation.
        shortest: pieces of a phrase, at least. Repeated letters and dots are not a mistake.
    """
    for size in range(shortest, len(pieces) // REPETITIONS + 1):
        run = 0
        for position in range(size, len(pieces)):
            run = run + 1 if pieces[position] == pieces[position - size] else 0
            if run == (REPETITIONS - 1) * size:
                return list(pieces[position - size + 1 : position + 1])
    return None
