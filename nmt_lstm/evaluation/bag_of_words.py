"""A classifier that ignores the order of words: what a network must beat to have read more than words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

__all__ = ["BagOfWords"]


class BagOfWords:
    """Multinomial naive Bayes over words separated by spaces, with one added to each count.

    Manning, Raghavan and Schütze 2008, "Introduction to Information Retrieval", chapter 13.

    Args:
        examples: texts with their labels.
    """

    def __init__(self, examples: Iterable[tuple[str, str]]) -> None:
        texts: Counter[str] = Counter()
        words: dict[str, Counter[str]] = {}
        for text, label in examples:
            texts[label] += 1
            words.setdefault(label, Counter()).update(text.split())
        self._words = words
        self._known = {word for counts in words.values() for word in counts}
        self._totals = {label: counts.total() + len(self._known) for label, counts in words.items()}
        self._priors = {label: math.log(count / texts.total()) for label, count in texts.items()}

    def classify(self, texts: Sequence[str]) -> list[str]:
        """Return the likeliest label of each text; words that were not learnt count for none."""
        return [max((self._score(label, text), label) for label in self._priors)[1] for text in texts]

    def _score(self, label: str, text: str) -> float:
        counts, total = self._words[label], self._totals[label]
        return self._priors[label] + math.fsum(
            math.log((counts[word] + 1) / total) for word in text.split() if word in self._known
        )
