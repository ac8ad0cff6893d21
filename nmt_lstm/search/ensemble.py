"""Several models of the same vocabularies searched as one: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.model.step import Step
from nmt_lstm.search.searchable import Searchable

__all__ = ["Ensemble"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")


class Ensemble(Generic[Encoding, State]):
    """Models that predict together; it is `Searchable` itself.

    The next piece's probability is the arithmetic mean over the models, as in Sennrich et al. 2016.

    Args:
        models: at least one, all of the same source and target vocabularies, all scoring all of it.

    Raises:
        ConfigurationError: there is no model.
    """

    def __init__(self, models: Sequence[Searchable[Encoding, State]]) -> None:
        if not models:
            raise ConfigurationError("an ensemble needs at least one model; none was given.")
        self.models = tuple(models)

    def encode(self, source: SourceBatch) -> tuple[Encoding, ...]:
        """Read the source sentences with every model."""
        return tuple(model.encode(source) for model in self.models)

    def start(self, encoded: tuple[Encoding, ...]) -> tuple[State, ...]:
        """Return every model's state before the first piece."""
        return tuple(model.start(part) for model, part in zip(self.models, encoded, strict=True))

    def step(self, previous: Tensor, state: tuple[State, ...]) -> Step[tuple[State, ...]]:
        """Read the previous pieces (R,) with every model; return the logarithms (R, V) of the means of their probabilities.

        The attention (R, S) is the mean of theirs.
        """
        steps = [model.step(previous, part) for model, part in zip(self.models, state, strict=True)]
        sizes = sorted({step.logits.shape[1] for step in steps})
        if len(sizes) > 1:
            raise ConfigurationError(
                f"the models of an ensemble must share their vocabulary, but theirs have {sizes} pieces; "
                f"translate with models that were trained on the same prepared data."
            )
        # Of probabilities, not of their logarithms: a model that is sure of its piece must not be overruled by one zero.
        log_probabilities = torch.stack(
            [torch.log_softmax(step.logits, dim=1, dtype=torch.float32) for step in steps]
        )
        # The mean around the largest: of equal models it is exactly what each says.
        largest = log_probabilities.amax(0)
        return Step(
            largest + (log_probabilities - largest).exp().mean(0).log(),
            torch.stack([step.attention.float() for step in steps]).mean(0),
            tuple(step.state for step in steps),
            normalised=True,
        )

    def reorder(self, state: tuple[State, ...], rows: Tensor, sentences: Tensor | None) -> tuple[State, ...]:
        """Reorder every model's state."""
        return tuple(
            model.reorder(part, rows, sentences) for model, part in zip(self.models, state, strict=True)
        )
