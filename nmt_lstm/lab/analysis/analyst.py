"""Analysis of an output by length, word frequency, repetitions and copies; sentences in which two outputs differ."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmt_lstm.errors import DataError
from nmt_lstm.evaluation.sentence_statistics import SentenceStatistics
from nmt_lstm.evaluation.words import count_words, unit_of, word_splitter
from nmt_lstm.lab.analysis.buckets import FrequencyBucket, LengthBucket, by_source_length, by_word_frequency
from nmt_lstm.lab.analysis.faults import CopiedWords, Repetition, copied_words, repetitions

__all__ = ["Analysis", "Analyst", "Difference", "most_different"]


@dataclass(frozen=True)
class Analysis:
    """The analysis of an output."""

    length_unit: str
    """Unit of the source length: "words" or "characters"."""
    by_source_length: list[LengthBucket]
    frequency_text: str
    """The text in which word frequencies were counted: "training text" or "test set"."""
    by_word_frequency: list[FrequencyBucket]
    repetitions: list[Repetition]
    copied: CopiedWords


@dataclass(frozen=True)
class Difference:
    """A sentence that two systems translate differently well."""

    line: int
    """Its number, from 1."""
    score: float
    """Sentence score of the first system."""
    other_score: float
    """Sentence score of the second system."""


class Analyst:
    """Analyses any number of outputs on one test set; source and references are split into words only once.

    Args:
        sources: the source lines.
        references: the lines of the (first) reference.
        more_references: further references, whose words also count as words of the target language.
        source_tokenize: sacreBLEU's tokenizer for the source language, see `tokenizer_for`.
        tokenize: the tokenizer for the target language.
        source_frequency: word counts in the source side of the training text; by default in `sources`.
        target_frequency: word counts in its target side; by default in `references`.

    Raises:
        DataError: the numbers of lines differ.
        ConfigurationError: unknown tokenizer.
    """

    def __init__(
        self,
        sources: Sequence[str],
        references: Sequence[str],
        *,
        more_references: Sequence[Sequence[str]] = (),
        source_tokenize: str = "13a",
        tokenize: str = "13a",
        source_frequency: Mapping[str, int] | None = None,
        target_frequency: Mapping[str, int] | None = None,
    ) -> None:
        if len(sources) != len(references):
            raise DataError(
                f"{len(sources):,} source lines but {len(references):,} references; they must correspond line by line."
            )
        split = word_splitter(source_tokenize)
        self._split = word_splitter(tokenize)
        self._unit = unit_of(source_tokenize)
        self._sources = [split(line) for line in sources]
        self._references = [self._split(line) for line in references]
        self._source_frequency = source_frequency or count_words(sources, split)
        self._target_frequency = target_frequency or count_words(references, self._split)
        further = (word for lines in more_references for line in lines for word in self._split(line))
        self._target_words = frozenset(itertools.chain(target_frequency or (), further))
        self._frequency_text = "training text" if target_frequency else "test set"

    def analyse(self, hypotheses: Sequence[str], statistics: SentenceStatistics) -> Analysis:
        """Analyse an output.

        Args:
            hypotheses: the lines of the output.
            statistics: its statistics for BLEU.

        Raises:
            DataError: the number of lines differs from the test set.
        """
        if len(hypotheses) != len(self._sources):
            raise DataError(f"{len(hypotheses):,} translations but {len(self._sources):,} source lines.")
        words = [self._split(line) for line in hypotheses]
        return Analysis(
            self._unit,
            by_source_length(list(map(len, self._sources)), statistics, unit=self._unit),
            self._frequency_text,
            by_word_frequency(words, self._references, self._target_frequency),
            repetitions(words, self._references),
            copied_words(
                self._sources,
                words,
                self._references,
                source_frequency=self._source_frequency,
                target_words=self._target_words,
            ),
        )


def most_different(
    one: SentenceStatistics, other: SentenceStatistics, *, count: int = 10
) -> list[Difference]:
    """Return the sentences whose scores differ most, largest difference first.

    If possible, the first system is better in half of them and the second in the other half.

    Args:
        one: statistics of the first system, preferably for chrF, which is meaningful for single sentences.
        other: statistics of the second system.
        count: the most sentences to return.
    """
    scores, other_scores = one.sentence_scores(), other.sentence_scores()
    gain = scores - other_scores
    order = np.argsort(-np.abs(gain), kind="stable")
    better = [index for index in order if gain[index] > 0]
    worse = [index for index in order if gain[index] < 0]
    worse = worse[: max(count // 2, count - len(better))]
    chosen = better[: count - len(worse)] + worse
    return [
        Difference(int(index) + 1, float(scores[index]), float(other_scores[index]))
        for index in sorted(chosen, key=lambda index: -abs(gain[index]))
    ]
