"""What search asks of a model: encode, start, step and reorder, whatever its cells and attention are."""

from __future__ import annotations

from typing import Protocol, TypeVar

from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch

__all__ = ["Searchable", "StepResult"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")
StateOut = TypeVar("StateOut", covariant=True)


class StepResult(Protocol[StateOut]):
    """The outcome of one decoding step. R is rows, sentences x hypotheses, sentence by sentence."""

    @property
    def logits(self) -> Tensor:
        """Unnormalised scores (R, C) of each candidate as the next piece; never changed by search."""
        ...

    @property
    def pieces(self) -> Tensor | None:
        """The candidates (C,), ascending, the special pieces in their own places; None is the whole vocabulary."""
        ...

    @property
    def normalised(self) -> bool:
        """Whether the logits are natural logarithms of probabilities already."""
        ...

    @property
    def attention(self) -> Tensor:
        """Attention (R, S) over source positions, paid while predicting the next piece."""
        ...

    @property
    def state(self) -> StateOut:
        """The state after the step."""
        ...


class Searchable(Protocol[Encoding, State]):
    """A translation model as search sees it; `Seq2Seq` and `Ensemble` are such."""

    def encode(self, source: SourceBatch) -> Encoding:
        """Read the source sentences."""
        ...

    def start(self, encoded: Encoding) -> State:
        """Return the state before the first piece, one row per sentence."""
        ...

    def step(self, previous: Tensor, state: State) -> StepResult[State]:
        """Read the previous pieces (R,) and score the next ones."""
        ...

    def reorder(self, state: State, rows: Tensor, sentences: Tensor | None) -> State:
        """Return the state of the given rows (R',), sentence by sentence.

        Every sentence has the same number of rows. `sentences` (S',) names the sentences that stay, by their
        place in this state; None keeps all.
        """
        ...
