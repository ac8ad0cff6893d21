"""Vocabularies of other toolkits as vocabularies of this one, and which row of their weights each piece has.

Shapes: V pieces, N rows of the other toolkit, E width.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nmt_lstm.errors import DataError
from nmt_lstm.files.regular import MAX_LIST_BYTES, read_regular
from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.text.piece_lists import piece_list_model
from nmt_lstm.text.piece_records import SPACE, PieceKind, PieceRecord, model_like, piece_records
from nmt_lstm.text.special_pieces import BEGIN, END, PAD, SPECIAL_PIECES, UNKNOWN
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = [
    "ImportedVocabulary",
    "SpecialRows",
    "listed",
    "read_model",
    "splitting_notes",
    "with_model",
]

# Far below any logit, but not so far that label smoothing over all pieces would outweigh the rest in fine-tuning.
ABSENT_BIAS = -50.0


@dataclass(frozen=True)
class SpecialRows:
    """The rows of the pieces with a fixed meaning; None is a piece that the toolkit does not have."""

    unknown: int
    end: int
    begin: int | None = None
    pad: int | None = None

    @property
    def rows(self) -> list[int | None]:
        """The rows by the ids of this program."""
        by_id = {PAD: self.pad, UNKNOWN: self.unknown, BEGIN: self.begin, END: self.end}
        return [by_id[piece] for piece in SPECIAL_PIECES]


@dataclass(frozen=True)
class ImportedVocabulary:
    """A vocabulary, and the row of each of its pieces.

    Attributes:
        vocabulary: the vocabulary.
        tokens: those of the toolkit, N of them.
        rows: V rows; None for a piece that has none.
        unlisted: ids of pieces into which text is split, but which the toolkit reads as unknown.
        composed: how many pieces are not in Unicode's composed form, so that no text is split into them.
    """

    vocabulary: Vocabulary
    tokens: tuple[str, ...]
    rows: tuple[int | None, ...]
    unlisted: frozenset[int] = frozenset()
    composed: int = 0

    def embeddings(self, weights: Tensor) -> Tensor:
        """Return the rows (V, E) of weights (N, E): the unknown piece's for unlisted pieces, zeros for missing ones."""
        unknown = self.rows[UNKNOWN]
        rows = [unknown if number in self.unlisted else row for number, row in enumerate(self.rows)]
        return self._selected(weights, rows)

    def output_biases(self, biases: Tensor) -> Tensor:
        """Return the biases (V,) of biases (N,); pieces that have no row are never written."""
        absent = biases.min().item() + ABSENT_BIAS
        selected = self._selected(biases, list(self.rows))
        missing = torch.tensor([row is None for row in self.rows])
        return selected.masked_fill(missing, absent)

    @staticmethod
    def _selected(weights: Tensor, rows: Sequence[int | None]) -> Tensor:
        chosen = weights[torch.tensor([row or 0 for row in rows])].clone()
        chosen[torch.tensor([row is None for row in rows])] = 0.0
        return chosen


def listed(tokens: Sequence[str], special: SpecialRows, *, by_character: bool = False) -> ImportedVocabulary:
    """Return the vocabulary of a list of words or characters.

    Args:
        tokens: of each row.
        special: the rows that are not words.
        by_character: whether the tokens are characters, with SentencePiece's symbol for a space.
    """
    taken = set(special.rows)
    rows = [row for row in range(len(tokens)) if row not in taken]
    parts = [tokens[row].replace(SPACE, " ") if by_character else tokens[row] for row in rows]
    vocabulary = Vocabulary(piece_list_model(parts, by_character=by_character))
    composed = sum(not unicodedata.is_normalized("NFC", part) for part in parts)
    return ImportedVocabulary(vocabulary, tuple(tokens), (*special.rows, *rows), composed=composed)


def with_model(
    model: bytes, tokens: Sequence[str], special: SpecialRows, *, restricted: bool = False
) -> ImportedVocabulary:
    """Return a vocabulary that splits text with a SentencePiece model.

    Args:
        model: the model.
        tokens: the piece of each row.
        special: the rows of special pieces.
        restricted: whether text is split into listed pieces and single characters only, as by SentencePiece's
            ``SetVocabulary``; otherwise into all pieces, of which those that are not listed count as unknown.
    """
    pieces = {piece.text: piece for piece in piece_records(model)}
    taken = set(special.rows)
    rows = [row for row in range(len(tokens)) if row not in taken]
    records = [pieces.get(tokens[row], PieceRecord(tokens[row], PieceKind.UNUSED)) for row in rows]
    chosen = {record.text for record in records}
    others = [
        piece
        for piece in pieces.values()
        if piece.text not in chosen and piece.kind not in (PieceKind.CONTROL, PieceKind.UNKNOWN)
    ]
    if restricted:
        others = [
            piece._replace(kind=PieceKind.UNUSED)
            if piece.kind == PieceKind.NORMAL and len(piece.text) > 1
            else piece
            for piece in others
        ]
    vocabulary = Vocabulary(model_like(model, [*records, *others]))
    first = len(SPECIAL_PIECES) + len(records)
    return ImportedVocabulary(
        vocabulary,
        tuple(tokens),
        (*special.rows, *rows, *[None] * len(others)),
        unlisted=frozenset(range(first, first + len(others))),
    )


def splitting_notes(side: str, imported: ImportedVocabulary, tokens: Sequence[str]) -> list[str]:
    """Return what a user must know about the text of a side, whose pieces are a list of words."""
    notes = [f"{side} text must be split into the model's tokens, with spaces between them."]
    if sum(token.startswith(SPACE) for token in tokens) > len(tokens) / 10:
        pieces = f"{side} text must be split into SentencePiece's pieces, with spaces between them"
        notes = [f"{pieces}; or name the SentencePiece model with --vocabulary."]
    elif any(token.endswith("@@") for token in tokens):
        notes = [f"{side} text must be split as in training, such as with subword-nmt apply-bpe."]
    if imported.composed:
        notes.append(
            f"{imported.composed:,} tokens of the {side} vocabulary are not in Unicode's composed form, in which text is read; "
            f"they count as unknown in the source and are written as usual."
        )
    return notes


def read_model(path: Path) -> bytes:
    """Return the content of a file with a SentencePiece model.

    Raises:
        DamagedSourceError: it cannot be read, or is not such a model.
    """
    try:
        model = read_regular(path, MAX_LIST_BYTES)
        piece_records(model)
    except OSError as problem:
        raise DamagedSourceError(f"cannot read '{path}': {problem.strerror}.", path=path) from None
    except (ValueError, DataError) as problem:
        raise DamagedSourceError(
            f"'{path}' is not a SentencePiece model, or is damaged.", path=path
        ) from problem
    return model
