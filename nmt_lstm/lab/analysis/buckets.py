"""Scores of subsets of a test set: by source length, and by word frequency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmt_lstm.evaluation.formulas import brevity_penalties, scores_of_totals
from nmt_lstm.evaluation.sentence_statistics import SentenceStatistics

__all__ = ["FrequencyBucket", "LengthBucket", "by_source_length", "by_word_frequency"]

_LENGTHS = {"words": (5, 10, 15, 20, 30, 40, 60), "characters": (10, 20, 30, 40, 60, 80, 120)}
_FREQUENCIES = (0, 1, 2, 5, 10, 100, 1_000)


@dataclass(frozen=True)
class LengthBucket:
    """Sentences with a source length in a range."""

    label: str
    """Such as "6-10"."""
    sentences: int
    bleu: float
    """Corpus BLEU of these sentences."""
    brevity_penalty: float
    length_ratio: float
    """Output words per reference word."""


@dataclass(frozen=True)
class FrequencyBucket:
    """Words with a frequency in a range."""

    label: str
    """Such as "2-4"."""
    words: int
    """Number of reference words with this frequency."""
    precision: float
    """Percentage of the output words with this frequency that are in the reference of their sentence."""
    recall: float
    """Percentage of the reference words with this frequency that are in the output."""

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def by_source_length(
    lengths: Sequence[int], statistics: SentenceStatistics, *, unit: str = "words"
) -> list[LengthBucket]:
    """Return BLEU by source length; buckets without sentences are omitted.

    Args:
        lengths: length of each source sentence, in `unit`.
        statistics: statistics of the output for BLEU.
        unit: "words" or "characters".
    """
    indices = np.searchsorted(_LENGTHS[unit], lengths)
    labels = _labels([1, *(edge + 1 for edge in _LENGTHS[unit])])
    buckets = []
    for index, label in enumerate(labels):
        values = statistics.values[indices == index]
        if len(values):
            totals = values.sum(0, keepdims=True)
            buckets.append(
                LengthBucket(
                    label,
                    len(values),
                    float(scores_of_totals("bleu", totals)[0]),
                    float(brevity_penalties(totals)[0]),
                    float(totals[0, 0] / max(1.0, totals[0, 1])),
                )
            )
    return buckets


def by_word_frequency(
    hypotheses: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    frequency: Mapping[str, int],
) -> list[FrequencyBucket]:
    """Return how well words are translated, by their frequency (as in compare-mt, Neubig et al. 2019).

    Args:
        hypotheses: the words of each output sentence.
        references: the words of each reference sentence.
        frequency: word counts, for example in the training text; missing words have frequency 0.
    """
    output, expected, matched = Counter[int](), Counter[int](), Counter[int]()
    buckets: dict[str, int] = {}  # by word, since looking a word up again is faster than a search
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        words, reference_words = Counter(hypothesis), Counter(reference)
        common = words & reference_words
        for counts, sums in ((words, output), (reference_words, expected), (common, matched)):
            for word, count in counts.items():
                if word not in buckets:
                    edge = np.searchsorted(_FREQUENCIES, frequency.get(word, 0), side="right")
                    buckets[word] = int(edge) - 1
                sums[buckets[word]] += count
    return [
        FrequencyBucket(
            label,
            expected[index],
            100.0 * matched[index] / output[index] if output[index] else 0.0,
            100.0 * matched[index] / expected[index] if expected[index] else 0.0,
        )
        for index, label in enumerate(_labels(list(_FREQUENCIES)))
        if expected[index]
    ]


def _labels(starts: Sequence[int]) -> list[str]:
    """Return labels such as "1-5", "6-10" and "61+" from the first number of each bucket."""
    ends = [start - 1 for start in starts[1:]]
    labels = [
        f"{start:,}" if start == end else f"{start:,}-{end:,}"
        for start, end in zip(starts, ends, strict=False)
    ]
    return [*labels, f"{starts[-1]:,}+"]
