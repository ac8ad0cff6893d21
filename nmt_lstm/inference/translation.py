"""The results of a translator: plain values with a readable representation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Hypothesis", "ScoredTranslation", "Translation"]


@dataclass(frozen=True)
class Hypothesis:
    """A candidate translation of a line.

    Attributes:
        text: the translation, always a single line.
        score: by which hypotheses are ranked, higher is better: the log-probability divided by a function of the
            length (`search.length_penalty`), plus the coverage penalty if any. It is not a probability, and
            scores of different sentences are not directly comparable.
        log_probability: natural logarithm of the probability of the pieces and the end of sentence, given the source.
        pieces: the T subword pieces of the text, without the end of sentence.
        alignment: (source piece, target piece) index pairs: for each target piece the source piece that received most
            of its attention. Target pieces that attended most to the source's end have no pair. Empty if
            ``alignment=False`` was passed.
        attention: (T, S + 1), float32: the attention weights of each target piece over the S source pieces and the
            source's end; each row sums to 1. None unless ``attention=True`` was passed.
    """

    text: str
    score: float
    log_probability: float
    pieces: tuple[str, ...] = field(repr=False)
    alignment: tuple[tuple[int, int], ...] = field(repr=False)
    attention: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Translation:
    """The translation of an input line; empty if the line is blank.

    Attributes:
        source: the input line, without its line end.
        text: the best translation, always a single line.
        score: score of the best hypothesis, normalised by length (see `Hypothesis`); 0 for a blank line.
        source_pieces: the S subword pieces of the source, truncated to `search.max_source_pieces`.
        hypotheses: the n best hypotheses, best first; their texts differ, and there may be fewer than n. None for a
            blank line.
    """

    source: str
    text: str
    score: float
    source_pieces: tuple[str, ...] = field(repr=False)
    hypotheses: tuple[Hypothesis, ...]

    @property
    def pieces(self) -> tuple[str, ...]:
        """Subword pieces of the best translation."""
        return self.hypotheses[0].pieces if self.hypotheses else ()

    @property
    def alignment(self) -> tuple[tuple[int, int], ...]:
        """Alignment of the best translation: (source piece, target piece) index pairs."""
        return self.hypotheses[0].alignment if self.hypotheses else ()

    @property
    def attention(self) -> NDArray[np.float32] | None:
        """Attention weights of the best translation, (T, S + 1); None for a blank line, or without ``attention=True``."""
        return self.hypotheses[0].attention if self.hypotheses else None


@dataclass(frozen=True)
class ScoredTranslation:
    """The probability that a model assigns to a given translation.

    Attributes:
        source: the source line.
        target: the target line.
        log_probability: natural logarithm of the target's probability given the source: the sum over its pieces and
            the end of sentence. It is not normalised by length.
        pieces: the subword pieces of the target, and last the end of sentence, ``</s>``.
        piece_log_probabilities: natural logarithm of each piece's probability, given the source and the pieces before.
    """

    source: str
    target: str
    log_probability: float
    pieces: tuple[str, ...] = field(repr=False)
    piece_log_probabilities: tuple[float, ...] = field(repr=False)
