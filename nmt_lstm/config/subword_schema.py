"""The table [subwords] of the run file: how text is split into pieces."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from nmt_lstm.config.piece_kinds import PIECE_KINDS, PieceKindName
from nmt_lstm.config.schema_base import Settings, TextPath
from nmt_lstm.config.symbols import CASE_MARKERS, check_symbols

__all__ = ["SubwordSettings"]


class SubwordSettings(Settings):
    """The pieces of text: subwords, characters, bytes or words, learnt by SentencePiece."""

    model: TextPath | None = None
    """A SentencePiece model for both sides, or a folder with a model's vocabularies; by default learnt from the text."""
    kind: PieceKindName = "unigram"
    """Subwords by SentencePiece's unigram model or by byte pair encoding, or single characters, bytes or whole words."""
    vocabulary_size: Annotated[int, Field(ge=0, le=500_000)] = 0
    """Number of pieces (of each side, if not joint); 0 chooses by kind and size of the corpus, as without a run file."""
    joint: bool = True
    """One vocabulary for both languages (needed by tied_embeddings = "all")."""
    character_coverage: Annotated[float, Field(ge=0.98, le=1.0)] = 0.9999
    """Share of the text's characters that get a piece of their own; the others are spelled in bytes."""
    sampling: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Subword sampling in training: unigram smoothing (0.1-0.5) or BPE dropout (0.1); 0 is off."""
    user_defined_symbols: Annotated[list[str], AfterValidator(check_symbols)] = []
    """Symbols such as "<b>" or "{name}" that are always one piece, in any text."""
    casing: Literal["as-is", "markers"] = "as-is"
    """Letter case: as it is, or words in lower case with markers, so that all forms of a word share their pieces."""
    normalise_invisible: bool = True
    """Replace no-break and other special spaces with plain spaces, and drop soft hyphens and zero-width characters."""

    @model_validator(mode="after")
    def _suits_the_kind(self) -> SubwordSettings:
        if self.kind == "byte" and self.vocabulary_size:
            raise ValueError(
                f'subwords.vocabulary_size = {self.vocabulary_size} is not possible with kind = "byte", which has a piece for each '
                f"of the 256 bytes; leave it out, or set it to 0"
            )
        if self.sampling and not PIECE_KINDS[self.kind].has_choice:
            raise ValueError(
                f'subwords.sampling = {self.sampling} needs kind = "unigram" or "bpe", since kind = "{self.kind}" splits a text in '
                f"one way only; set it to 0"
            )
        if self.casing == "markers":
            unusable = [
                symbol for symbol in self.user_defined_symbols if any(mark in symbol for mark in CASE_MARKERS)
            ]
            if unusable:
                raise ValueError(
                    f"subwords.user_defined_symbols: '{unusable[0]}' contains a marker of subwords.casing "
                    f"({' or '.join(CASE_MARKERS)})"
                )
        return self
