"""Finished translations of a sentence, and the back-pointers from which they are read.

Shapes: B sentences of the batch, P present in a step, K hypotheses of each, S source, T target pieces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nmt_lstm.search.remaining import Integers

__all__ = ["Finished", "History", "Hypothesis"]


@dataclass(frozen=True)
class Hypothesis:
    """A translation of a source sentence, as pieces."""

    pieces: tuple[int, ...]
    """Target pieces, without the final END."""
    score: float
    """The number by which hypotheses are ranked: the log-probability after length and coverage penalties."""
    log_probability: float
    """Natural logarithm of the probability of the pieces and END, given the source."""
    attention: Tensor | None = field(repr=False, compare=False, default=None)
    """(T, S): attention weights of each piece; None if they were not kept."""


class Finished(NamedTuple):
    """The end of a hypothesis: END after `length` pieces, in the sentence's hypothesis number `beam`."""

    score: float
    log_probability: float
    length: int
    beam: int


class _Extension(NamedTuple):
    row_of_sentence: Integers  # (B,): row of each sentence of the batch in the arrays below
    parents: Integers  # (P, K): number of the hypothesis that was extended
    pieces: Integers  # (P, K): the piece that was appended
    attention: Tensor | None  # (P, K before the step, S)


class History:
    """Back-pointers of a beam search, one table per step.

    Hypotheses are read backwards from their ends, so that no step has to copy the pieces of reordered hypotheses.
    """

    def __init__(self) -> None:
        self._steps: list[_Extension] = []

    def add(
        self, row_of_sentence: Integers, parents: Integers, pieces: Integers, attention: Tensor | None
    ) -> None:
        """Append the extensions of one step.

        Args:
            row_of_sentence: (B,): row of each sentence of the batch in the other arrays.
            parents: (P, K): numbers of the hypotheses that were extended.
            pieces: (P, K): the pieces that were appended.
            attention: (P, K before the step, S), or None.
        """
        self._steps.append(_Extension(row_of_sentence, parents, pieces, attention))

    def read(self, sentence: int, finished: Finished) -> Hypothesis:
        """Return the hypothesis of `sentence` (its number in the batch) that ended as `finished`."""
        beam = finished.beam
        pieces: list[int] = []
        attention: list[Tensor] = []
        for step in reversed(self._steps[: finished.length]):
            row: Any = step.row_of_sentence[sentence]
            pieces.append(int(step.pieces[row, beam]))
            # A piece's attention is that of the row which predicted it, before rows were reordered.
            beam = int(step.parents[row, beam])
            if step.attention is not None:
                attention.append(step.attention[row, beam])
        first = self._steps[0].attention
        weights = None
        if first is not None:
            # A hypothesis that consists of END has no pieces, and so no rows of attention.
            weights = torch.stack(attention[::-1]) if attention else first.new_empty(0, first.shape[-1])
            weights = weights.float().cpu()
        return Hypothesis(tuple(pieces[::-1]), finished.score, finished.log_probability, weights)
