"""Scores of parts of a test set: by the length of the source, by the frequency of the words."""

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
    """The sentences whose source has a length within bounds."""

    label: str
    """Such as "6-10"."""
    sentences: int
    bleu: float
    """Corpus BLEU of these sentences alone."""
    brevity_penalty: float
    length_ratio: float
    """Hypothesis words per reference word."""


@dataclass(frozen=True)
class FrequencyBucket:
    """The words that occur a number of times within bounds."""

    label: str
    """Such as "2-4"."""
    words: int
    """Words of the reference that fall into it."""
    precision: float
    """In percent: how many of the output's words of this frequency stand in the reference of their sentence."""
    recall: float
    """In percent: how many of the reference's words of this frequency the output has."""

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def by_source_length(
    lengths: Sequence[int], statistics: SentenceStatistics, *, unit: str = "words"
) -> list[LengthBucket]:
    """Return BLEU by length of the source; buckets without sentences are left out.

    Args:
        lengths: of each source sentence, in `unit`s.
        statistics: of the output, by BLEU.
        unit: "words" or "characters".
    """
    place = np.searchsorted(_LENGTHS[unit], lengths)
    labels = _labels([1, *(edge + 1 for edge in _LENGTHS[unit])])
    found = []
    for bucket, label in enumerate(labels):
        values = statistics.values[place == bucket]
        if len(values):
            totals = values.sum(0, keepdims=True)
            found.append(
                LengthBucket(
                    label,
                    len(values),
                    float(scores_of_totals("bleu", totals)[0]),
                    float(brevity_penalties(totals)[0]),
                    float(totals[0, 0] / max(1.0, totals[0, 1])),
                )
            )
    return found


def by_word_frequency(
    hypotheses: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    frequency: Mapping[str, int],
) -> list[FrequencyBucket]:
    """Return how well words are translated, by how often they occur (as compare-mt, Neubig et al. 2019).

    Args:
        hypotheses: the words of each output sentence.
        references: the words of each reference sentence.
        frequency: how often each word occurs, in the training text or elsewhere; 0 for those not in it.
    """
    said, wanted, matched = Counter[int](), Counter[int](), Counter[int]()

    def bucket(word: str) -> int:
        return int(np.searchsorted(_FREQUENCIES, frequency.get(word, 0), side="right")) - 1

    places: dict[str, int] = {}
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        ours, theirs = Counter(hypothesis), Counter(reference)
        for counts, sums in ((ours, said), (theirs, wanted), (ours & theirs, matched)):
            for word, count in counts.items():
                if word not in places:
                    places[word] = bucket(word)
                sums[places[word]] += count
    return [
        FrequencyBucket(
            label,
            wanted[place],
            100.0 * matched[place] / said[place] if said[place] else 0.0,
            100.0 * matched[place] / wanted[place] if wanted[place] else 0.0,
        )
        for place, label in enumerate(_labels(list(_FREQUENCIES)))
        if wanted[place]
    ]


def _labels(starts: Sequence[int]) -> list[str]:
    """Return "1-5", "6-10", ..., "61+" for the first numbers of buckets."""
    ends = [start - 1 for start in starts[1:]]
    labels = [
        f"{start:,}" if start == end else f"{start:,}-{end:,}"
        for start, end in zip(starts, ends, strict=False)
    ]
    return [*labels, f"{starts[-1]:,}+"]
