"""The results of a translator: plain values with a readable representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.text.written_pieces import text_of_pieces, word_spans

__all__ = ["Hypothesis", "ScoredTranslation", "Translation"]


class Unmet(NamedTuple):
    """Something that was asked of a translation, and that it does not meet."""

    kind: Literal["prefix", "require", "avoid", "keep", "tag"]
    phrase: str


@dataclass(frozen=True)
class Word:
    """A word of a hypothesis.

    Attributes:
        text: the word.
        start: index of its first piece.
        end: index after its last piece.
        log_probability: sum of its pieces' natural log-probabilities; None unless ``probabilities=True`` was passed.
    """

    text: str
    start: int
    end: int
    log_probability: float | None


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
        piece_log_probabilities: T + 1 natural logarithms, of each piece's probability and of the end of sentence, by the
            model alone: without penalties, and with the whole vocabulary. None unless ``probabilities=True`` was passed.
        expected_utility: mean score of the text with the other candidates as references, in percent; None unless
            `search.decision` asks for it.
        ids: the T numbers of the pieces in the vocabulary.
    """

    text: str
    score: float
    log_probability: float
    pieces: tuple[str, ...] = field(repr=False)
    alignment: tuple[tuple[int, int], ...] = field(repr=False)
    attention: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    piece_log_probabilities: tuple[float, ...] | None = field(default=None, repr=False)
    expected_utility: float | None = field(default=None, repr=False)
    ids: tuple[int, ...] = field(default=(), repr=False)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of the text: pieces up to the next one that begins with a space."""
        return tuple(
            Word(
                text_of_pieces(self.pieces[start:end]),
                start,
                end,
                None
                if self.piece_log_probabilities is None
                else sum(self.piece_log_probabilities[start:end]),
            )
            for start, end in word_spans(self.pieces)
        )

    def word_alignment(self, source_pieces: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """Return the alignment as (source word, target word) index pairs, each once, in order.

        Args:
            source_pieces: `Translation.source_pieces`.
        """
        sources, targets = (
            [word for word, (start, end) in enumerate(word_spans(pieces)) for _ in range(start, end)]
            for pieces in (source_pieces, self.pieces)
        )
        return tuple(sorted({(sources[source], targets[target]) for source, target in self.alignment}))


@dataclass(frozen=True)
class Translation:
    """The translation of an input line; empty if the line is blank.

    Attributes:
        source: the input line, without its line end.
        text: the best translation, always a single line.
        score: score of the best hypothesis, normalized by length (see `Hypothesis`); 0 for a blank line.
        source_pieces: the S subword pieces of the source, truncated to `search.max_source_pieces`.
        hypotheses: the n best hypotheses, best first; their texts differ, and there may be fewer than n. None for a
            blank line. With sampling, all n samples, among which texts may repeat.
        unmet: what of the request the best translation does not meet.
    """

    source: str
    text: str
    score: float
    source_pieces: tuple[str, ...] = field(repr=False)
    hypotheses: tuple[Hypothesis, ...]
    unmet: tuple[Unmet, ...] = ()

    @property
    def pieces(self) -> tuple[str, ...]:
        """Subword pieces of the best translation."""
        return self.hypotheses[0].pieces if self.hypotheses else ()

    @property
    def alignment(self) -> tuple[tuple[int, int], ...]:
        """Alignment of the best translation: (source piece, target piece) index pairs."""
        return self.hypotheses[0].alignment if self.hypotheses else ()

    @property
    def word_alignment(self) -> tuple[tuple[int, int], ...]:
        """Alignment of the best translation: (source word, target word) index pairs."""
        return self.hypotheses[0].word_alignment(self.source_pieces) if self.hypotheses else ()

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
            the end of sentence. It is not normalized by length.
        pieces: the subword pieces of the target, and last the end of sentence, ``</s>``.
        piece_log_probabilities: natural logarithm of each piece's probability, given the source and the pieces before.
    """

    source: str
    target: str
    log_probability: float
    pieces: tuple[str, ...] = field(repr=False)
    piece_log_probabilities: tuple[float, ...] = field(repr=False)
