"""Ids of the pieces with a fixed meaning, the same in every vocabulary."""

from __future__ import annotations

__all__ = ["BEGIN", "END", "END_OF_SENTENCE", "PAD", "SPECIAL_PIECES", "UNKNOWN"]

PAD = 0
UNKNOWN = 1
BEGIN = 2
END = 3
END_OF_SENTENCE = "</s>"
"""How END is written."""
SPECIAL_PIECES = (PAD, UNKNOWN, BEGIN, END)
