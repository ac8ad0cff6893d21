"""What a translator returns: plain values that read well when printed."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Hypothesis", "ScoredTranslation", "Translation"]


@dataclass(frozen=True)
class Hypothesis:
    """One way to translate a line."""

    text: str
    """The translation, always a single line."""
    score: float
    """What hypotheses are ranked by: log-probability after length and coverage penalties; higher is better."""
    log_probability: float
    """Natural logarithm of its probability given the source."""
    pieces: tuple[str, ...] = field(repr=False)
    """Its subword pieces."""
    alignment: tuple[tuple[int, int], ...] = field(repr=False)
    """(source piece, target piece) index pairs: where each target piece's attention is largest.

    Target pieces that look at the source's end have no pair.
    """


@dataclass(frozen=True)
class Translation:
    """The translation of one input line; it is empty where the line is blank."""

    source: str
    """The input line, without its line end."""
    text: str
    """The best translation, always a single line."""
    score: float
    """Score of the best hypothesis; 0 for a blank line."""
    source_pieces: tuple[str, ...] = field(repr=False)
    """Subword pieces of the source, cut at the longest length that is translated."""
    hypotheses: tuple[Hypothesis, ...] = field(repr=False)
    """The n best hypotheses of different texts, best first; none for a blank line."""

    @property
    def pieces(self) -> tuple[str, ...]:
        """Subword pieces of the best translation."""
        return self.hypotheses[0].pieces if self.hypotheses else ()

    @property
    def alignment(self) -> tuple[tuple[int, int], ...]:
        """Alignment of the best translation: (source piece, target piece) index pairs."""
        return self.hypotheses[0].alignment if self.hypotheses else ()


@dataclass(frozen=True)
class ScoredTranslation:
    """The probability that a model gives to a translation made elsewhere."""

    source: str
    target: str
    log_probability: float
    """Natural logarithm of the target's probability given the source: the sum over its pieces and the end."""
    pieces: tuple[str, ...] = field(repr=False)
    """Subword pieces of the target, and last the end of sentence, ``</s>``."""
    piece_log_probabilities: tuple[float, ...] = field(repr=False)
    """One natural logarithm per piece."""
