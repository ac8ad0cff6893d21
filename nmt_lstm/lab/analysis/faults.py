"""Typical faults of recurrent translators: repetitions, and copies of untranslated words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from nmt_lstm.evaluation.words import is_word

__all__ = ["CopiedWords", "Repetition", "copied_words", "repetitions"]

_MAX_ORDER = 4
_RARE = 2
_MAX_WORDS = 20
_MAX_LINES = 10


@dataclass(frozen=True)
class Repetition:
    """Frequency of n-grams that are repeated within a sentence."""

    order: int
    """1: a word directly after itself; 2 and more: an n-gram that occurred earlier in the sentence."""
    per_thousand: float
    """Repetitions per 1,000 n-grams of the output."""
    reference_per_thousand: float
    """Repetitions per 1,000 n-grams of the reference, since some repetitions are correct."""
    lines: tuple[int, ...]
    """Numbers, from 1, of lines with more repetitions than their reference, worst first; at most ten."""


@dataclass(frozen=True)
class CopiedWords:
    """Source words in the output that no reference of the test set contains."""

    words: int
    """Number of copied words in the output."""
    per_thousand: float
    """Copies per 1,000 words of the output."""
    most_frequent: tuple[tuple[str, int], ...]
    """Copied words with their number, at most twenty."""
    rare_words: int
    """Number of rare source words that the references translate rather than copy."""
    untranslated_rare_words: int
    """Number of those that the output copies."""
    rare_examples: tuple[tuple[int, str], ...]
    """Untranslated rare words as (line number, word), at most twenty."""

    @property
    def untranslated_share(self) -> float:
        """Percentage of rare words left untranslated."""
        return 100.0 * self.untranslated_rare_words / self.rare_words if self.rare_words else 0.0


def repetitions(hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> list[Repetition]:
    """Return the repetitions of n-grams of 1 to 4 words; see `Repetition`."""
    counts = []
    for order in range(1, _MAX_ORDER + 1):
        repeated = [_repetitions(sentence, order) for sentence in hypotheses]
        expected = [_repetitions(sentence, order) for sentence in references]
        excess = [one - other for one, other in zip(repeated, expected, strict=True)]
        worst = sorted((index for index in range(len(excess)) if excess[index] > 0), key=lambda i: -excess[i])
        counts.append(
            Repetition(
                order,
                _per_thousand(sum(repeated), _count_ngrams(hypotheses, order)),
                _per_thousand(sum(expected), _count_ngrams(references, order)),
                tuple(index + 1 for index in worst[:_MAX_LINES]),
            )
        )
    return counts


def copied_words(
    sources: Sequence[Sequence[str]],
    hypotheses: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    *,
    source_frequency: Mapping[str, int],
    target_words: AbstractSet[str] = frozenset(),
) -> CopiedWords:
    """Return the source words that the output copies.

    A word in any reference is not a copy: names and words that both languages share are correctly unchanged.

    Args:
        sources: the words of each source sentence.
        hypotheses: the words of each output sentence.
        references: the words of each reference sentence.
        source_frequency: counts of source words; a count of at most 2 is rare.
        target_words: further words of the target language, such as those in the training text.
    """
    known = target_words | {word for sentence in references for word in sentence}
    copied: Counter[str] = Counter()
    rare = untranslated = 0
    examples: list[tuple[int, str]] = []
    for number, (source, hypothesis) in enumerate(zip(sources, hypotheses, strict=True), 1):
        foreign = {word for word in source if is_word(word) and word not in known}
        copies = Counter(word for word in hypothesis if word in foreign)
        copied.update(copies)
        for word in sorted(foreign):
            if source_frequency.get(word, 0) <= _RARE:
                rare += 1
                if word in copies:
                    untranslated += 1
                    examples.append((number, word))
    total = sum(copied.values())
    frequent = sorted(copied.items(), key=lambda item: (-item[1], item[0]))
    return CopiedWords(
        total,
        _per_thousand(total, sum(map(len, hypotheses))),
        tuple(frequent[:_MAX_WORDS]),
        rare,
        untranslated,
        tuple(examples[:_MAX_WORDS]),
    )


def _repetitions(words: Sequence[str], order: int) -> int:
    if order == 1:
        return sum(one == other for one, other in itertools.pairwise(words))
    ngrams = [tuple(words[start : start + order]) for start in range(len(words) - order + 1)]
    return len(ngrams) - len(set(ngrams))


def _count_ngrams(sentences: Sequence[Sequence[str]], order: int) -> int:
    return sum(max(0, len(words) - order + 1) for words in sentences)


def _per_thousand(count: int, total: int) -> float:
    return 1000.0 * count / total if total else 0.0
