"""SentencePiece models as files store them, for what the library does not offer: kinds of pieces, and models of bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum

from nmt_lstm.text.special_pieces import BEGIN, END, PAD, UNKNOWN

__all__ = ["PieceKind", "byte_model", "user_defined_symbols"]

# Numbers of fields in SentencePiece's sentencepiece_model.proto: of a model, a piece, and the settings of training.
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_TEXT, _SCORE, _KIND = 1, 2, 3
_MODEL_TYPE, _SIZE, _BYTE_FALLBACK, _UNKNOWN_ID, _BEGIN_ID, _END_ID, _PAD_ID = 3, 4, 35, 40, 41, 42, 43
_CHARACTERS = 4  # a model type
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


def byte_model(symbols: Sequence[str]) -> bytes:
    """Return a serialised SentencePiece model whose pieces are a space, the 256 bytes and some symbols.

    Args:
        symbols: pieces that are never split.
    """
    special = {PAD: "<pad>", UNKNOWN: "<unk>", BEGIN: "<s>", END: "</s>"}
    pieces = [
        (special[number], PieceKind.UNKNOWN if number == UNKNOWN else PieceKind.CONTROL)
        for number in sorted(special)
    ]
    pieces += [(symbol, PieceKind.USER_DEFINED) for symbol in symbols]
    pieces += [(f"<0x{byte:02X}>", PieceKind.BYTE) for byte in range(256)]
    pieces.append(("\u2581", PieceKind.NORMAL))
    trainer = {
        _MODEL_TYPE: _CHARACTERS,
        _SIZE: len(pieces),
        _BYTE_FALLBACK: 1,
        _UNKNOWN_ID: UNKNOWN,
        _BEGIN_ID: BEGIN,
        _END_ID: END,
        _PAD_ID: PAD,
    }
    return (
        b"".join(_counted(_PIECES, _piece(text, kind)) for text, kind in pieces)
        + _counted(_TRAINER, b"".join(_integer(number, value) for number, value in trainer.items()))
        + _counted(_NORMALIZER, _counted(_TEXT, b"identity"))
    )


def _piece(text: str, kind: PieceKind) -> bytes:
    score = _encoded(_SCORE << 3 | _FOUR_BYTES) + struct.pack("<f", 0.0)
    return _counted(_TEXT, text.encode()) + score + _integer(_KIND, kind)


def _integer(number: int, value: int) -> bytes:
    return _encoded(number << 3 | _VARINT) + _encoded(value)


def _counted(number: int, content: bytes) -> bytes:
    return _encoded(number << 3 | _COUNTED) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    """Return an integer as a varint: seven bits in each byte, the lowest first."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


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
