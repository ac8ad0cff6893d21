"""Several models with the same vocabularies searched as one: the mean of their probabilities.

Shapes: R rows, S source, V vocabulary.
"""

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
    """Models that predict together; an ensemble is `Searchable` itself.

    The next piece's probability is the arithmetic mean over the models, as in Sennrich et al. 2016.

    Args:
        models: at least one; all must have the same vocabularies, and score the whole target vocabulary.

    Raises:
        ConfigurationError: there are no models.
    """

    def __init__(self, models: Sequence[Searchable[Encoding, State]]) -> None:
        if not models:
            raise ConfigurationError("an ensemble needs at least one model.")
        self.models = tuple(models)

    def encode(self, source: SourceBatch) -> tuple[Encoding, ...]:
        """Read the source sentences with every model."""
        return tuple(model.encode(source) for model in self.models)

    def start(self, encoded: tuple[Encoding, ...]) -> tuple[State, ...]:
        """Return every model's state before the first piece."""
        return tuple(model.start(encoding) for model, encoding in zip(self.models, encoded, strict=True))

    def step(self, previous: Tensor, state: tuple[State, ...]) -> Step[tuple[State, ...]]:
        """Read the previous pieces (R,) with every model; return the logarithms (R, V) of the means of their probabilities.

        The attention (R, S) is the mean of theirs.
        """
        steps = [
            model.step(previous, model_state) for model, model_state in zip(self.models, state, strict=True)
        ]
        sizes = sorted({step.logits.shape[1] for step in steps})
        if len(sizes) > 1:
            raise ConfigurationError(
                f"the models of an ensemble must share their vocabulary, but their vocabularies have {sizes} pieces; "
                f"use models that were trained on the same prepared data."
            )
        # The mean of probabilities, not of logarithms: one model's zero must not overrule the others.
        log_probabilities = torch.stack(
            [torch.log_softmax(step.logits, dim=1, dtype=torch.float32) for step in steps]
        )
        # Relative to the largest, so that the mean of equal models is exactly the result of each.
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
            model.reorder(model_state, rows, sentences)
            for model, model_state in zip(self.models, state, strict=True)
        )
