"""What recurrent translators are known to do wrong: saying things twice, and copying what they cannot translate."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from nmt_lstm.evaluation.words import is_word

__all__ = ["CopiedWords", "Repetition", "copied_words", "repetitions"]

LONGEST_REPEATED = 4
RARE = 2
_WORDS_SHOWN = 20
_LINES_SHOWN = 10


@dataclass(frozen=True)
class Repetition:
    """How often n-grams stand in a sentence a second time."""

    order: int
    """1: a word right after itself. 2 and more: an n-gram that the sentence has had before."""
    per_thousand: float
    """Of 1,000 n-grams of the output, how many are repetitions."""
    reference_per_thousand: float
    """The same of the reference: some repetitions are right."""
    lines: tuple[int, ...]
    """Numbers (from 1) of the lines that repeat more than their reference, the worst first; at most ten."""


@dataclass(frozen=True)
class CopiedWords:
    """Source words that stand in the output as they are, though no reference of the test set has them."""

    words: int
    """Words of the output that are copies."""
    per_thousand: float
    """Of 1,000 words of the output."""
    most_frequent: tuple[tuple[str, int], ...]
    """Copied words and how often, at most twenty."""
    rare_words: int
    """Rare words of the source that its references translate (that is: do not have as they are)."""
    untranslated_rare_words: int
    """How many of these the output has as they are."""
    rare_examples: tuple[tuple[int, str], ...]
    """(line number, word) of untranslated rare words, at most twenty."""

    @property
    def untranslated_share(self) -> float:
        """Percentage of the rare words that were left untranslated."""
        return 100.0 * self.untranslated_rare_words / self.rare_words if self.rare_words else 0.0


def repetitions(hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> list[Repetition]:
    """Return the repetitions of n-grams of 1 to 4 words; see `Repetition`."""
    found = []
    for order in range(1, LONGEST_REPEATED + 1):
        ours = [_repeated(sentence, order) for sentence in hypotheses]
        theirs = [_repeated(sentence, order) for sentence in references]
        excess = [one - other for one, other in zip(ours, theirs, strict=True)]
        worst = sorted((index for index in range(len(excess)) if excess[index] > 0), key=lambda i: -excess[i])
        found.append(
            Repetition(
                order,
                _per_thousand(sum(ours), _ngrams(hypotheses, order)),
                _per_thousand(sum(theirs), _ngrams(references, order)),
                tuple(index + 1 for index in worst[:_LINES_SHOWN]),
            )
        )
    return found


def copied_words(
    sources: Sequence[Sequence[str]],
    hypotheses: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    *,
    source_frequency: Mapping[str, int],
    target_words: AbstractSet[str] = frozenset(),
) -> CopiedWords:
    """Return which source words the output has as they are.

    A word that any reference has is no copy: names, and words that both languages have, are rightly the same.

    Args:
        sources: the words of each source sentence.
        hypotheses: the words of each output sentence.
        references: the words of each reference sentence.
        source_frequency: how often each source word occurs; those with 2 or fewer are rare.
        target_words: further words of the target language, such as those of its training text.
    """
    known = target_words | {word for sentence in references for word in sentence}
    copied: Counter[str] = Counter()
    rare = untranslated = 0
    examples: list[tuple[int, str]] = []
    for number, (source, hypothesis) in enumerate(zip(sources, hypotheses, strict=True), 1):
        foreign = {word for word in source if is_word(word) and word not in known}
        said = Counter(word for word in hypothesis if word in foreign)
        copied.update(said)
        for word in sorted(foreign):
            if source_frequency.get(word, 0) <= RARE:
                rare += 1
                if word in said:
                    untranslated += 1
                    examples.append((number, word))
    total = sum(copied.values())
    frequent = sorted(copied.items(), key=lambda item: (-item[1], item[0]))
    return CopiedWords(
        total,
        _per_thousand(total, sum(map(len, hypotheses))),
        tuple(frequent[:_WORDS_SHOWN]),
        rare,
        untranslated,
        tuple(examples[:_WORDS_SHOWN]),
    )


def _repeated(words: Sequence[str], order: int) -> int:
    if order == 1:
        return sum(one == other for one, other in itertools.pairwise(words))
    ngrams = [tuple(words[start : start + order]) for start in range(len(words) - order + 1)]
    return len(ngrams) - len(set(ngrams))


def _ngrams(sentences: Sequence[Sequence[str]], order: int) -> int:
    return sum(max(0, len(words) - order + 1) for words in sentences)


def _per_thousand(count: int, total: int) -> float:
    return 1000.0 * count / total if total else 0.0
