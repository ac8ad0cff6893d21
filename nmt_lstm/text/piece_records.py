"""The pieces in a SentencePiece model as its file stores them: the library does not tell which of them are user-defined."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

__all__ = ["PieceKind", "user_defined_symbols"]

# Numbers of fields in SentencePiece's sentencepiece_model.proto.
_PIECES, _TEXT, _KIND = 1, 1, 3
# Wire types of the protocol buffer encoding (https://protobuf.dev/programming-guides/encoding).
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5


class PieceKind(IntEnum):
    """The kinds of pieces in SentencePiece's format."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


def user_defined_symbols(model: bytes) -> tuple[str, ...]:
    """Return the pieces of a serialised SentencePiece model that are never split or merged.

    Args:
        model: a model that SentencePiece has loaded.
    """
    symbols = []
    for number, value in _fields(model):
        if number == _PIECES and isinstance(value, bytes):
            piece = dict(_fields(value))
            text = piece.get(_TEXT)
            if piece.get(_KIND) == PieceKind.USER_DEFINED and isinstance(text, bytes):
                symbols.append(text.decode("utf-8"))
    return tuple(symbols)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and value of each field of a message: an integer, or the bytes of anything else."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if wire_type == _COUNTED:
            length, position = _varint(message, position)
        else:
            length = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}[wire_type]
        yield number, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the integer at a position, seven bits in each byte, and the position after it."""
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
