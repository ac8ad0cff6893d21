"""Several validation sets: each is scored by itself, and one of them, or their average, decides which weights are best."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nmt_lstm.batching.batch import Batch
from nmt_lstm.config.schema import AVERAGE, DataSettings
from nmt_lstm.evaluation.scores import Score, chosen_tokenizer
from nmt_lstm.text.validation_text import ValidationText
from nmt_lstm.training.validation import RunValidation, ValidationResult

__all__ = ["SET_TABLE", "SetsValidation", "ValidationSet", "sets_of_run"]

SET_TABLE = "validation"
"""Beginning of the names in logs of the metrics of a set, such as "validation/news/bleu"."""


class ValidationSet(NamedTuple):
    """A validation set, whose lines follow those of the sets before it."""

    name: str
    lines: int
    tag: str = ""
    """The piece in front of every source line; empty for none."""
    tokenize: str = "13a"
    """sacreBLEU's tokenizer."""


def sets_of_run(texts: Sequence[ValidationText], data: DataSettings) -> tuple[ValidationSet, ...]:
    """Return the validation sets of a run."""
    return tuple(
        ValidationSet(
            text.name,
            len(text.source),
            text.tag,
            chosen_tokenizer(data.tokenize, text.target_language or data.target_language),
        )
        for text in texts
    )


class SetsValidation:
    """One pass over several validation sets; a batch has lines of a single one.

    Args:
        sets: the sets.
        make: returns a validation of one set, given its tokenizer.
        deciding: name of the set whose results decide; "average" for the mean of all, empty for the first.
    """

    def __init__(
        self, sets: Sequence[ValidationSet], make: Callable[[str], RunValidation], *, deciding: str
    ) -> None:
        self._sets = sets
        self._ends = list(itertools.accumulate(each.lines for each in sets))
        self._validations = [make(each.tokenize) for each in sets]
        self._deciding = deciding or sets[0].name

    def add(self, batch: Batch) -> None:
        """Validate one batch."""
        first = int(batch.indices[0])
        self._validations[bisect.bisect_right(self._ends, first)].add(batch)

    def result(self) -> ValidationResult:
        """Return the deciding result, with those of all sets; all processes must take part."""
        results = [validation.result() for validation in self._validations]
        named = {each.name: result for each, result in zip(self._sets, results, strict=True)}
        decides = _mean(results) if self._deciding == AVERAGE else named[self._deciding]
        return dataclasses.replace(
            decides,
            indices=[index for result in results for index in result.indices],
            translations=[text for result in results for text in result.translations],
            sets=named,
        )


def _mean(results: Sequence[ValidationResult]) -> ValidationResult:
    """Return the mean of the loss and of each score, every set counting the same."""
    count = len(results)
    scores = {}
    for name, first in results[0].scores.items():
        value = math.fsum(result.scores[name].value for result in results) / count
        signatures = dict.fromkeys(result.scores[name].signature for result in results)
        scores[name] = Score(first.name, value, f"mean of {count} sets: {' and '.join(signatures)}")
    return ValidationResult(
        loss=math.fsum(result.loss for result in results) / count,
        lines=sum(result.lines for result in results),
        scores=scores,
    )


def validation_of_sets(
    sets: Sequence[ValidationSet], make: Callable[..., RunValidation], deciding: str, tokenize: str
) -> RunValidation:
    """Return a validation of several sets, or of one.

    Args:
        sets: the sets; none if there is one without a name.
        make: returns the validation of a set, given its tokenizer by the name `tokenize`.
        deciding: name of the set whose metric counts.
        tokenize: the tokenizer of a set without a name.
    """
    if len(sets) > 1:
        return SetsValidation(sets, lambda tokenizer: make(tokenize=tokenizer), deciding=deciding)
    return make(tokenize=sets[0].tokenize if sets else tokenize)
