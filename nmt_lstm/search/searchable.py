"""What search asks of a model: encode, start, step and reorder, whatever its cells and attention are."""

from __future__ import annotations

from typing import Protocol, TypeVar

from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.model.step import Step

__all__ = ["Searchable"]

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
