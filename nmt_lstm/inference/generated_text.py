"""The results of a language model: plain values with a readable representation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.next_words import NextWord
from nmt_lstm.text.special_pieces import END, END_OF_SENTENCE
from nmt_lstm.text.subwords import Vocabulary

__all__ = ["Continuation", "GeneratedText", "ScoredText", "continuations"]


@dataclass(frozen=True)
class GeneratedText:
    """A text that a language model wrote after a prompt.

    Attributes:
        prompt: the prompt, without its line end.
        text: the whole text, with the prompt; always a single line.
        log_probability: natural logarithm of the probability of the whole text and its end, prompt included.
        score: the log-probability divided by a function of the length (`search.length_penalty`), by which texts are ranked.
        pieces: the pieces of the text.
        prompt_pieces: how many of these are the prompt.
        is_complete: whether the model ended the text; otherwise it was ended at `search.max_pieces`.
    """

    prompt: str
    text: str
    log_probability: float
    score: float
    pieces: tuple[str, ...] = field(repr=False)
    prompt_pieces: int = field(repr=False)
    is_complete: bool


@dataclass(frozen=True)
class Continuation:
    """A piece or a word that may follow a prompt.

    Attributes:
        text: the piece as the vocabulary writes it (▁ is a space), or the word; ``</s>`` is the end of the text.
        probability: of the piece, or of the word as a whole.
        separator: what stands between the prompt and the word: a space, or nothing.
        is_end: whether it is the end of the text.
    """

    text: str
    probability: float
    separator: str = field(default="", repr=False)
    is_end: bool = field(default=False, repr=False)


@dataclass(frozen=True)
class ScoredText:
    """The probability that a language model assigns to a line.

    Attributes:
        text: the line.
        log_probability: natural logarithm of the probability of the line and its end. It is not normalized by length.
        pieces: the pieces of the line, and last its end, ``</s>``.
        piece_log_probabilities: natural logarithm of each piece's probability, given the pieces before.
        unknown_pieces: how many pieces stand for a word or character that the vocabulary does not have.
    """

    text: str
    log_probability: float
    pieces: tuple[str, ...] = field(repr=False)
    piece_log_probabilities: tuple[float, ...] = field(repr=False)
    unknown_pieces: int = 0


def continuations(words: Iterable[NextWord], vocabulary: Vocabulary, texts: PieceTexts) -> list[Continuation]:
    """Return words that were found as pieces.

    Args:
        words: best first.
        vocabulary: that decodes them.
        texts: of its pieces.
    """
    return [
        Continuation(
            END_OF_SENTENCE if word.pieces == (END,) else vocabulary.decode(word.pieces),
            math.exp(word.log_probability),
            " " if texts.text_of(word.pieces).startswith(" ") else "",
            is_end=word.pieces == (END,),
        )
        for word in words
    ]
