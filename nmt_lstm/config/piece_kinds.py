"""The kinds of pieces that text can be split into, and what depends on the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["PIECE_KINDS", "SHORTER", "PieceKind", "PieceKindName", "with_defaults_of_kind"]

PieceKindName = Literal["unigram", "bpe", "character", "byte", "word"]

# A subword of these vocabularies has about four characters.
SHORTER = 4
# Settings that count pieces, with their defaults for subwords.
_LENGTHS: Mapping[tuple[str, ...], int] = {
    ("data", "cleaning", "max_pieces"): 150,
    ("training", "batch_pieces"): 4_000,
    ("search", "max_source_pieces"): 500,
}


@dataclass(frozen=True)
class PieceKind:
    """A kind of pieces."""

    plural: str
    """How messages call them."""
    model_type: str
    """SentencePiece's name of the algorithm; empty for bytes and words, which need none."""
    is_short: bool = False
    """Whether text has several times as many of them as subwords."""
    has_choice: bool = False
    """Whether a text can be split in several ways, so that segmentations can be sampled."""


PIECE_KINDS: Mapping[PieceKindName, PieceKind] = {
    "unigram": PieceKind("subword pieces", "unigram", has_choice=True),
    "bpe": PieceKind("subword pieces", "bpe", has_choice=True),
    "character": PieceKind("characters and bytes", "char", is_short=True),
    "byte": PieceKind("bytes", "", is_short=True),
    "word": PieceKind("words and bytes", ""),
}


def with_defaults_of_kind(values: Any) -> Any:
    """Return nested settings, where lengths that are not given suit short pieces if the kind has them."""
    subwords = values.get("subwords") if isinstance(values, dict) else None
    name = subwords.get("kind") if isinstance(subwords, dict) else getattr(subwords, "kind", None)
    if not any(kind.is_short for known, kind in PIECE_KINDS.items() if known == name):
        return values
    for path, default in _LENGTHS.items():
        values = _with_default(values, path, SHORTER * default)
    return values


def _with_default(values: Any, path: tuple[str, ...], default: int) -> Any:
    """Return nested tables with a value at a path, unless there is one or a part of the path is not a table."""
    if not isinstance(values, dict):
        return values
    key, *rest = path
    return {
        **values,
        key: _with_default(values.get(key, {}), tuple(rest), default) if rest else values.get(key, default),
    }
