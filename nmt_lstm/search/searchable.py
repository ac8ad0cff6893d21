"""The protocol of models that can be searched: encode, start, step and reorder.

Shapes: B sentences, R rows, S source.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.model.step import Step

__all__ = ["Searchable", "check_scores"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")


class Searchable(Protocol[Encoding, State]):
    """A translation model as search uses it, such as `Seq2Seq` and `Ensemble`."""

    def encode(self, source: SourceBatch) -> Encoding:
        """Read source sentences (B, S)."""
        ...

    def start(self, encoded: Encoding) -> State:
        """Return the state before the first piece, one row per sentence."""
        ...

    def step(self, previous: Tensor, state: State) -> Step[State]:
        """Read the previous pieces (R,) and score the candidates for the next ones."""
        ...

    def reorder(self, state: State, rows: Tensor, sentences: Tensor | None) -> State:
        """Return the state of `rows` (R',), sentence by sentence, with the same number of rows for each.

        Args:
            state: of a step.
            rows: (R',): indices of rows in this state.
            sentences: (B',): indices in this state of the sentences that stay; None if all do.
        """
        ...


def check_scores(scores: NDArray[np.float64]) -> None:
    """Raise ModelFolderError if one of a model's scores is NaN, with which no hypothesis can be compared."""
    if np.isnan(scores).any():
        raise ModelFolderError(
            "the model's scores are not numbers (NaN), because its training diverged or its weights are damaged; "
            "use an earlier checkpoint, or train with a lower learning rate."
        )
