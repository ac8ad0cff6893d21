"""SentencePiece models as files store them, for what the library does not offer: kinds of pieces, and writing of models."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from nmt_lstm.errors import DataError
from nmt_lstm.text.special_pieces import BEGIN, END, PAD, UNKNOWN

__all__ = [
    "SPACE",
    "ModelType",
    "PieceKind",
    "PieceRecord",
    "byte_model",
    "list_model",
    "model_like",
    "piece_records",
    "trainer_fields",
    "user_defined_symbols",
    "word_model",
]

# Numbers of fields in SentencePiece's sentencepiece_model.proto: of a model, a piece, and the settings of training.
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_TEXT, _SCORE, _KIND = 1, 2, 3
_MODEL_TYPE, _SIZE, _BYTE_FALLBACK, _UNKNOWN_ID, _BEGIN_ID, _END_ID, _PAD_ID = 3, 4, 35, 40, 41, 42, 43
_UNKNOWN_NAME, _BEGIN_NAME, _END_NAME, _PAD_NAME = 45, 46, 47, 48
SPACE = "\u2581"
"""SentencePiece's symbol for a space."""
# Wire types of the protocol buffer encoding (https://protobuf.dev/programming-guides/encoding).
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5
_FIXED_LENGTHS = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}


class PieceKind(IntEnum):
    """The kinds of pieces in SentencePiece's format."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


class ModelType(IntEnum):
    """The kinds of models in SentencePiece's format."""

    UNIGRAM = 1
    BPE = 2
    WORD = 3
    CHAR = 4


class PieceRecord(NamedTuple):
    """A piece of a model."""

    text: str
    kind: int = PieceKind.NORMAL
    score: float = 0.0


SPECIAL = {
    PAD: PieceRecord("<pad>", PieceKind.CONTROL),
    UNKNOWN: PieceRecord("<unk>", PieceKind.UNKNOWN),
    BEGIN: PieceRecord("<s>", PieceKind.CONTROL),
    END: PieceRecord("</s>", PieceKind.CONTROL),
}
IDS = {_UNKNOWN_ID: UNKNOWN, _BEGIN_ID: BEGIN, _END_ID: END, _PAD_ID: PAD}


def piece_records(model: bytes) -> list[PieceRecord]:
    """Return the pieces of a serialised SentencePiece model, in the order of their ids.

    Raises:
        ValueError: it is not such a model.
    """
    records = []
    try:
        for number, value in _fields(model):
            if number == _PIECES and isinstance(value, bytes):
                fields = dict(_fields(value))
                text, score = fields[_TEXT], fields.get(_SCORE, bytes(4))
                kind = fields.get(_KIND, PieceKind.NORMAL)
                records.append(_record(text, score, kind))
    except (DataError, KeyError, struct.error) as problem:
        raise ValueError("it is not a SentencePiece model") from problem
    return records


def _record(text: object, score: object, kind: object) -> PieceRecord:
    if not (isinstance(text, bytes) and isinstance(score, bytes) and isinstance(kind, int)):
        raise ValueError("it is not a SentencePiece model")  # noqa: TRY004 - the file is wrong, not an argument
    return PieceRecord(text.decode("utf-8"), kind, struct.unpack("<f", score)[0])


def trainer_fields(model: bytes) -> tuple[int, bool]:
    """Return the `ModelType` of a serialised model, and whether it spells unknown characters in bytes."""
    kind, spells_bytes = int(ModelType.UNIGRAM), False
    for number, value in _fields(model):
        if number == _TRAINER and isinstance(value, bytes):
            # The last of several counts, as for the library.
            for field, setting in _fields(value):
                if field == _MODEL_TYPE and isinstance(setting, int):
                    kind = setting
                elif field == _BYTE_FALLBACK:
                    spells_bytes = bool(setting)
    return kind, spells_bytes


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
                symbols.append(text.decode("utf-8", "replace"))
    return tuple(symbols)


def byte_model(symbols: Sequence[str]) -> bytes:
    """Return a serialised SentencePiece model whose pieces are a space, the 256 bytes and some symbols.

    Args:
        symbols: pieces that are never split.
    """
    return _spelling_model(ModelType.CHAR, symbols, [SPACE])


def word_model(symbols: Sequence[str], words: Sequence[str]) -> bytes:
    """Return a serialised SentencePiece model whose pieces are words, symbols, and the bytes that spell other words.

    Args:
        symbols: words that are user-defined symbols.
        words: without spaces, the most frequent one first.
    """
    return _spelling_model(
        ModelType.WORD, [SPACE + symbol for symbol in symbols], [SPACE + word for word in words]
    )


def _spelling_model(kind: ModelType, symbols: Sequence[str], texts: Sequence[str]) -> bytes:
    pieces = [SPECIAL[number] for number in sorted(SPECIAL)]
    pieces += [PieceRecord(symbol, PieceKind.USER_DEFINED) for symbol in symbols]
    pieces += [PieceRecord(f"<0x{byte:02X}>", PieceKind.BYTE) for byte in range(256)]
    # As in SentencePiece's own models, scores fall with the frequency.
    pieces += [PieceRecord(text, score=-float(number)) for number, text in enumerate(texts)]
    return _model(pieces, {_MODEL_TYPE: kind, _SIZE: len(pieces), _BYTE_FALLBACK: 1, **IDS})


def list_model(texts: Iterable[str], kind: ModelType) -> bytes:
    """Return a serialised SentencePiece model with the special pieces and others, with earlier ones preferred.

    Args:
        texts: of the other pieces.
        kind: of the model.
    """
    pieces = [SPECIAL[number] for number in sorted(SPECIAL)]
    pieces += [PieceRecord(text, score=-float(number)) for number, text in enumerate(texts)]
    return _model(pieces, {_MODEL_TYPE: kind, _SIZE: len(pieces), **IDS})


def model_like(model: bytes, pieces: Iterable[PieceRecord]) -> bytes:
    """Return a serialised SentencePiece model with the special pieces and others, and all else as in another model.

    Args:
        model: the other model.
        pieces: the pieces after the special ones.
    """
    kept = b"".join(
        _counted(number, value)
        for number, value in _fields(model)
        if number != _PIECES and isinstance(value, bytes)
    )
    special = [SPECIAL[number] for number in sorted(SPECIAL)]
    names = {_PAD_NAME: SPECIAL[PAD].text, _UNKNOWN_NAME: SPECIAL[UNKNOWN].text}
    names |= {_BEGIN_NAME: SPECIAL[BEGIN].text, _END_NAME: SPECIAL[END].text}
    trainer = b"".join(_integer(number, value) for number, value in IDS.items())
    trainer += b"".join(_counted(number, name.encode()) for number, name in names.items())
    # A reader merges a message that occurs twice, and the later values count.
    return _pieces([*special, *pieces]) + kept + _counted(_TRAINER, trainer)


def _model(pieces: Sequence[PieceRecord], trainer: Mapping[int, int]) -> bytes:
    return (
        _pieces(pieces)
        + _counted(_TRAINER, b"".join(_integer(number, value) for number, value in trainer.items()))
        + _counted(_NORMALIZER, _counted(_TEXT, b"identity"))
    )


def _pieces(pieces: Iterable[PieceRecord]) -> bytes:
    return b"".join(_counted(_PIECES, _piece(piece)) for piece in pieces)


def _piece(piece: PieceRecord) -> bytes:
    score = _encoded(_SCORE << 3 | _FOUR_BYTES) + struct.pack("<f", piece.score)
    return _counted(_TEXT, piece.text.encode()) + score + _integer(_KIND, piece.kind)


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
        elif wire_type in _FIXED_LENGTHS:
            length = _FIXED_LENGTHS[wire_type]
        else:
            raise _damaged()
        yield number, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the integer at a position, seven bits in each byte, and the position after it."""
    value = shift = 0
    # Ten bytes hold 64 bits; a model from anywhere could have millions.
    for byte in message[position : position + 10]:
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
    raise _damaged()


def _damaged() -> DataError:
    return DataError("the SentencePiece model is damaged.")
