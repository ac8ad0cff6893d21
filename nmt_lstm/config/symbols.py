"""User-defined symbols of a vocabulary: which ones are possible."""

from __future__ import annotations

import unicodedata

__all__ = ["CASE_MARKERS", "JOINER", "check_symbols"]

CASE_MARKERS = ("⇧", "⇪")
"""Of `subwords.casing`: the next word begins with a capital letter, or has only capital letters."""
JOINER = "￭"
"""Of whole words as pieces: there is no space here."""

MAX_SYMBOLS = 10_000
MAX_LENGTH = 100
# SentencePiece's symbol for a space, what it writes for bytes that form no character, and the joiner of words.
_RESERVED_CHARACTERS = f"\u2581\ufffd{JOINER}"
_RESERVED = frozenset({"<pad>", "<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))})


def check_symbols(symbols: list[str]) -> list[str]:
    """Return the symbols.

    Raises:
        ValueError: one of them could never be found in a text, has a meaning of its own, or is listed twice.
    """
    if len(symbols) > MAX_SYMBOLS:
        raise ValueError(f"there are {len(symbols):,} symbols; at most {MAX_SYMBOLS:,} are allowed")
    for index, symbol in enumerate(symbols):
        problem = _problem(symbol)
        if not problem and symbol in symbols[:index]:
            problem = "is listed twice"
        if problem:
            raise ValueError(f"'{symbol}' {problem}")
    return symbols


def _problem(symbol: str) -> str:
    if not 1 <= len(symbol) <= MAX_LENGTH:
        return f"must have 1 to {MAX_LENGTH} characters"
    if symbol in _RESERVED:
        return "is a special piece of every vocabulary; choose a different symbol"
    unusable = [
        character
        for character in symbol
        # Spaces and what is written like one, controls and invisible characters.
        if character in _RESERVED_CHARACTERS or unicodedata.category(character)[0] in "ZC"
    ]
    if unusable:
        return f"contains U+{ord(unusable[0]):04X}; symbols cannot contain spaces, control or invisible characters"
    if unicodedata.normalize("NFC", symbol) != symbol:
        return "is not in the normal form C of Unicode, so it would never be found in a text"
    return ""
