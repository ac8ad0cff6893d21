"""The table [subwords] of the run file: how text is split into pieces."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nmt_lstm.config.schema_base import Settings, TextPath
from nmt_lstm.config.symbols import check_symbols

__all__ = ["SubwordSettings"]


class SubwordSettings(Settings):
    """SentencePiece subwords."""

    model: TextPath | None = None
    """A SentencePiece model for both sides, or a folder with a model's vocabularies; by default learnt from the text."""
    kind: Literal["unigram", "bpe"] = "unigram"
    """SentencePiece's algorithm."""
    vocabulary_size: Annotated[int, Field(ge=0, le=500_000)] = 0
    """Number of pieces (of each side, if not joint); 0 chooses by the size of the corpus, as without a run file."""
    joint: bool = True
    """One vocabulary for both languages (needed by tied_embeddings = "all")."""
    character_coverage: Annotated[float, Field(ge=0.98, le=1.0)] = 0.9999
    """Share of the text's characters that get a piece of their own; the others are spelled in bytes."""
    sampling: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Subword sampling in training: unigram smoothing (0.1-0.5) or BPE dropout (0.1); 0 is off."""
    user_defined_symbols: Annotated[list[str], AfterValidator(check_symbols)] = []
    """Symbols such as "<b>" or "{name}" that are always one piece, in any text."""
    normalise_invisible: bool = True
    """Replace no-break and other special spaces with plain spaces, and drop soft hyphens and zero-width characters."""
