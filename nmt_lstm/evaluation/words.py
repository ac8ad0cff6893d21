"""Splitting text into words with sacreBLEU's tokenizers, and counting them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from sacrebleu.metrics.bleu import BLEU

from nmt_lstm.evaluation.scores import check_tokenizer, tokenizer_for, without_advice

__all__ = [
    "WordSplitter",
    "count_words",
    "guess_tokenizer",
    "is_word",
    "tokenizer_of_text",
    "unit_of",
    "word_splitter",
]

WordSplitter = Callable[[str], list[str]]


def word_splitter(tokenize: str) -> WordSplitter:
    """Return a function that splits a line into words with one of sacreBLEU's tokenizers.

    Raises:
        ConfigurationError: the tokenizer is unknown, or its dictionary is not installed.
    """
    check_tokenizer(tokenize)
    with without_advice():
        tokenizer = BLEU(tokenize=tokenize, force=True).tokenizer
    return lambda line: str(tokenizer(line.rstrip())).split()


def count_words(lines: Iterable[str], split: WordSplitter) -> Counter[str]:
    """Return how often each word occurs."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(split(line))
    return counts


def guess_tokenizer(lines: Iterable[str]) -> str:
    """Return a tokenizer for text in an unknown language: "char" if it has hardly any spaces, otherwise "13a".

    Lines of single words in Latin letters have no spaces either, but are words.
    """
    characters = spaces = ascii_letters = 0
    for line in lines:
        characters += len(line)
        spaces += line.strip().count(" ")
        ascii_letters += sum(letter.isascii() and letter.isalpha() for letter in line)
    unspaced = spaces < 0.01 * characters and ascii_letters < 0.5 * characters
    return "char" if unspaced else "13a"


def is_word(token: str) -> bool:
    """Whether a token contains a letter; punctuation and numbers are the same in many languages."""
    return any(character.isalpha() for character in token)


def tokenizer_of_text(language: str, lines: Iterable[str]) -> str:
    """Return the customary tokenizer of a language, or a guess from the text if the language is unknown ("")."""
    return tokenizer_for(language) if language else guess_tokenizer(lines)


def unit_of(tokenize: str) -> str:
    """Return the name of a tokenizer's units: "words" or "characters"."""
    return "characters" if tokenize in ("char", "zh") else "words"
