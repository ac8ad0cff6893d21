"""Ids of the pieces with a fixed meaning, the same in every vocabulary."""

from __future__ import annotations

__all__ = ["BEGIN", "END", "PAD", "SPECIAL_PIECES", "UNKNOWN"]

PAD = 0
UNKNOWN = 1
BEGIN = 2
END = 3
SPECIAL_PIECES = (PAD, UNKNOWN, BEGIN, END)
