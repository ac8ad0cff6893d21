"""What search asks of a model: encode, start, step and reorder, and scores that are numbers."""

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
    """A translation model as search sees it, such as `Seq2Seq` and `Ensemble`."""

    def encode(self, source: SourceBatch) -> Encoding:
        """Read the source sentences."""
        ...

    def start(self, encoded: Encoding) -> State:
        """Return the state before the first piece, one row per sentence."""
        ...

    def step(self, previous: Tensor, state: State) -> Step[State]:
        """Read the previous pieces (R,) and score the next ones."""
        ...

    def reorder(self, state: State, rows: Tensor, sentences: Tensor | None) -> State:
        """Return the state of the given rows (R',), sentence by sentence.

        Every sentence has the same number of rows. `sentences` (S',) names the sentences that stay, by their
        place in this state; None keeps all.
        """
        ...


def check_scores(scores: NDArray[np.float64]) -> None:
    """Raise ModelFolderError if one of a model's scores is NaN: no hypothesis could be compared with it."""
    if np.isnan(scores).any():
        raise ModelFolderError(
            "the model's scores are not numbers (NaN): its training diverged or its weights are damaged; "
            "use an earlier checkpoint, or train with a lower learning rate."
        )
