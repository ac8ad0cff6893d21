"""How well a language model predicts a text: perplexity per piece and per word, and bits per character."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["TextLikelihood", "perplexity_of"]


@dataclass(frozen=True)
class TextLikelihood:
    """The log-probability of a text, and what it is divided by.

    Every line has an end, which the model predicts as well. It counts as one piece, one word and one character; so all
    measures divide the same log-probability, that of everything.
    """

    lines: int
    log_probability: float
    """Natural logarithm of the probability of all lines and their ends."""
    pieces: int
    """Pieces of all lines, ends included."""
    words: int
    """Words between white space, ends included."""
    characters: int
    """Characters, ends included; white space counts once between words and not at all at the ends of a line."""

    @classmethod
    def of(cls, lines: Iterable[tuple[str, float, int]]) -> TextLikelihood:
        """Return the sums over lines: the text of each, its log-probability, and its number of pieces without the end."""
        count, pieces, words, characters = 0, 0, 0, 0
        logarithms = []
        for text, log_probability, piece_count in lines:
            count += 1
            logarithms.append(log_probability)
            pieces += piece_count + 1
            words += len(text.split()) + 1
            characters += len(" ".join(text.split())) + 1
        return cls(count, math.fsum(logarithms), pieces, words, characters)

    @property
    def piece_perplexity(self) -> float:
        """Perplexity per piece; comparable only between models with the same pieces."""
        return perplexity_of(self.log_probability, self.pieces)

    @property
    def word_perplexity(self) -> float:
        """Perplexity per word; comparable between models with any pieces."""
        return perplexity_of(self.log_probability, self.words)

    @property
    def bits_per_character(self) -> float:
        """Bits per character; comparable between models with any pieces."""
        return -self.log_probability / math.log(2.0) / max(1, self.characters)


def perplexity_of(log_probability: float, count: int) -> float:
    """Return the perplexity of `count` units with this log-probability together."""
    return math.exp(min(-log_probability / max(1, count), 700.0))
