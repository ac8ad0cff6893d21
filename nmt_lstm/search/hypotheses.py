"""Finished translations of a sentence, and the back-pointers from which they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Finished", "History", "Hypothesis"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Hypothesis:
    """One translation of a source sentence, as pieces."""

    pieces: tuple[int, ...]
    """Target pieces, without the final END."""
    score: float
    """What hypotheses are ranked by: the log-probability after length and coverage penalties."""
    log_probability: float
    """Natural logarithm of the probability of the pieces and END, given the source."""
    attention: Tensor | None = field(repr=False, compare=False, default=None)
    """Attention (T, S) paid while predicting each piece, or None if it was not kept."""


class Finished(NamedTuple):
    """A hypothesis that predicted END after `length` pieces, coming from row `beam` of its sentence."""

    score: float
    log_probability: float
    length: int
    beam: int


class _Move(NamedTuple):
    row_of_sentence: Integers  # place of each sentence of the whole batch in this step's arrays
    parents: Integers  # (sentences, beams): which of the hypotheses before was continued
    pieces: Integers  # (sentences, beams): by which piece
    attention: Tensor | None  # (sentences, beams before, S)


class History:
    """All moves of a beam search, one per step.

    Hypotheses are read backwards from where they ended, so nothing is copied while the beams change places.
    """

    def __init__(self) -> None:
        self._moves: list[_Move] = []

    def add(
        self, row_of_sentence: Integers, parents: Integers, pieces: Integers, attention: Tensor | None
    ) -> None:
        """Append one step of all sentences that were alive in it."""
        self._moves.append(_Move(row_of_sentence, parents, pieces, attention))

    def read(self, sentence: int, finished: Finished) -> Hypothesis:
        """Return the hypothesis of `sentence` (its place in the whole batch) that ended as `finished`."""
        # From the row where it ended back to the start; a move names the row before it.
        beam = finished.beam
        pieces: list[int] = []
        attention: list[Tensor] = []
        for move in reversed(self._moves[: finished.length]):
            row: Any = move.row_of_sentence[sentence]
            pieces.append(int(move.pieces[row, beam]))
            beam = int(move.parents[row, beam])
            if move.attention is not None:
                attention.append(move.attention[row, beam])
        first = self._moves[0].attention
        kept = None
        if first is not None:
            # A hypothesis of END alone has no pieces to pay attention for.
            kept = torch.stack(attention[::-1]) if attention else first.new_empty(0, first.shape[-1])
            kept = kept.float().cpu()
        return Hypothesis(tuple(pieces[::-1]), finished.score, finished.log_probability, kept)
