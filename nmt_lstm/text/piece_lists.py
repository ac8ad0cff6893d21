"""Vocabularies that are plain lists of words or characters: text is split at spaces or into characters, and looked up.

SentencePiece can store such a list as a model of type "word" or "char". But it reads adjacent unknown words as one, and a
word that has its symbol for a space in it as two; so these lists are looked up here, unless unknown words are spelled in
bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.text.piece_records import SPACE, ModelType, list_model, trainer_fields
from nmt_lstm.text.special_pieces import SPECIAL_PIECES, UNKNOWN

__all__ = ["PieceList", "piece_list", "piece_list_model"]


class PieceList:
    """Splits text at spaces, or into characters, and looks the parts up.

    Args:
        pieces: as SentencePiece writes them, special ones first: words begin with its symbol for a space.
        by_character: whether the parts are characters, of which the symbol stands for a space.
    """

    def __init__(self, pieces: Sequence[str], *, by_character: bool) -> None:
        self._by_character = by_character
        self.texts = tuple(
            "" if number in SPECIAL_PIECES else self._text(piece) for number, piece in enumerate(pieces)
        )
        # Of equal pieces the first counts.
        self._ids = {text: number for number, text in reversed([*enumerate(self.texts)]) if text}

    def _text(self, piece: str) -> str:
        return piece.replace(SPACE, " ") if self._by_character else f" {piece.removeprefix(SPACE)}"

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text's words or characters; UNKNOWN for those that are not in the list."""
        parts = list(text.strip()) if self._by_character else [f" {word}" for word in text.split(" ") if word]
        return [self._ids.get(part, UNKNOWN) for part in parts]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of pieces."""
        return "".join(self.texts[piece] for piece in ids).removeprefix(" ")


def piece_list(model: bytes, pieces: Sequence[str]) -> PieceList | None:
    """Return the list that a serialised SentencePiece model consists of, or None if it is a model of subwords.

    Args:
        model: the model.
        pieces: its pieces.
    """
    kind, spells_bytes = trainer_fields(model)
    if kind not in (ModelType.WORD, ModelType.CHAR) or spells_bytes:
        return None
    return PieceList(pieces, by_character=kind == ModelType.CHAR)


def piece_list_model(parts: Sequence[str], *, by_character: bool = False) -> bytes:
    """Return the SentencePiece model of a list of words or characters, after the special pieces.

    Args:
        parts: the words, or the characters.
        by_character: which of the two they are.
    """
    if by_character:
        return list_model((part.replace(" ", SPACE) for part in parts), ModelType.CHAR)
    return list_model((f"{SPACE}{part}" for part in parts), ModelType.WORD)
