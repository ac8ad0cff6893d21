"""Pieces as SentencePiece writes them: which of them form a word, and what text they are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from nmt_lstm.config.symbols import CASE_MARKERS, JOINER
from nmt_lstm.text.casing import CaseMarkers
from nmt_lstm.text.piece_records import SPACE
from nmt_lstm.text.word_splitting import join_words

__all__ = ["added_text", "are_characters", "shown_piece", "text_of_pieces", "word_spans"]

_BYTE = re.compile("<0x([0-9A-F]{2})>")
# Pieces after which a space begins no word.
_OPENING = (SPACE, *CASE_MARKERS, *(SPACE + marker for marker in CASE_MARKERS))
_SPELLED_SPACE = tuple(f"<0x{byte:02X}>" for byte in SPACE.encode())
_MARKERS = CaseMarkers()


def word_spans(pieces: Sequence[str]) -> list[tuple[int, int]]:
    """Return where words begin and end: a piece that begins with a space (written ▁) begins a word.

    A marker of case belongs to its word, and a punctuation mark with a joiner to the word beside it.
    """
    starts = [
        index
        for index, piece in enumerate(pieces)
        if index == 0 or (_begins_with_space(pieces, index) and not _continues(pieces[index - 1], piece))
    ]
    return list(itertools.pairwise([*starts, len(pieces)]))


def _begins_with_space(pieces: Sequence[str], index: int) -> bool:
    return pieces[index].startswith(SPACE) or tuple(pieces[index : index + 3]) == _SPELLED_SPACE


def _continues(previous: str, piece: str) -> bool:
    return previous in _OPENING or previous.endswith(JOINER) or piece.startswith(SPACE + JOINER)


def text_of_pieces(pieces: Sequence[str]) -> str:
    """Return the text of pieces, without spaces at its ends."""
    written = b"".join(
        bytes([int(byte[1], 16)]) if (byte := _BYTE.fullmatch(piece)) else piece.encode() for piece in pieces
    )
    text = written.decode("utf-8", "ignore").replace(SPACE, " ")
    if any(piece in _OPENING[1:] for piece in pieces):
        text = _MARKERS.read(text)
    return (join_words(text) if JOINER in text else text).strip()


def added_text(piece: str) -> str:
    """Return what a piece that is not a byte adds to a text; nothing for a marker of case."""
    return "" if piece in _OPENING else piece.replace(SPACE, " ").replace(JOINER, "")


def are_characters(pieces: Sequence[str]) -> bool:
    """Return whether no piece is longer than a character."""
    return all(_BYTE.fullmatch(piece) or len(piece.removeprefix(SPACE)) <= 1 for piece in pieces)


def shown_piece(piece: str) -> str:
    """Return a piece as a picture writes it: a byte that is a visible character as this character."""
    byte = _BYTE.fullmatch(piece)
    return chr(int(byte[1], 16)) if byte and 0x21 <= int(byte[1], 16) <= 0x7E else piece
