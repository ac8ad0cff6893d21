"""Shallow fusion: a language model of the target language takes part in the search (Gulcehre et al. 2015, section 4.1).

Shapes: B sentences, R rows, C candidates, S source, V vocabulary.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.model.step import Step
from nmt_lstm.search.best_pieces import log_probabilities
from nmt_lstm.search.searchable import Searchable

__all__ = ["Fused", "Fusion"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")
TextEncoding = TypeVar("TextEncoding")
TextState = TypeVar("TextState")


class Fused(NamedTuple, Generic[State, TextState]):
    """What both models encode, or their states."""

    translation: State
    text: TextState


class Fusion(Generic[Encoding, State, TextEncoding, TextState]):
    """A translation model and a language model that are searched as one; it is `Searchable` itself.

    The score of a piece is its log-probability in translation, plus `weight` times that in the language model. These
    scores are not normalised, as in the paper: a piece that neither model expects must not be worth the same as one that
    both do, because it stands among pieces that are worse still.

    Args:
        model: of the translation; it may score a part of the vocabulary.
        language_model: of the target language, with the same target pieces; it scores the whole vocabulary.
        weight: of the language model, above 0.
    """

    def __init__(
        self,
        model: Searchable[Encoding, State],
        language_model: Searchable[TextEncoding, TextState],
        *,
        weight: float,
    ) -> None:
        self._model = model
        self._language_model = language_model
        self._weight = weight

    def encode(self, source: SourceBatch) -> Fused[Encoding, TextEncoding]:
        """Read the source sentences (B, S); of these a language model only knows the number."""
        return Fused(self._model.encode(source), self._language_model.encode(source))

    def start(self, encoded: Fused[Encoding, TextEncoding]) -> Fused[State, TextState]:
        """Return both states before the first piece."""
        return Fused(self._model.start(encoded.translation), self._language_model.start(encoded.text))

    def step(self, previous: Tensor, state: Fused[State, TextState]) -> Step[Fused[State, TextState]]:
        """Read the previous pieces (R,) with both models; return the weighted sums (R, C) of their log-probabilities."""
        step = self._model.step(previous, state.translation)
        text = self._language_model.step(previous, state.text)
        scores = step.logits.float() if step.normalised else log_probabilities(step.logits)
        text_scores = text.logits.float() if text.normalised else log_probabilities(text.logits)
        # After normalisation: the language model's other pieces keep their probability.
        if step.pieces is not None:
            text_scores = text_scores.index_select(1, step.pieces)
        if scores.shape != text_scores.shape:
            raise ConfigurationError(
                f"the translation model has {scores.shape[1]} target pieces, but the language model {text_scores.shape[1]}; "
                f"train the language model with the pieces of the translation model.",
                key="language_model",
            )
        return Step(
            scores.add(text_scores, alpha=self._weight),
            step.attention,
            Fused(step.state, text.state),
            step.pieces,
            normalised=True,
        )

    def reorder(
        self, state: Fused[State, TextState], rows: Tensor, sentences: Tensor | None
    ) -> Fused[State, TextState]:
        """Reorder both states."""
        return Fused(
            self._model.reorder(state.translation, rows, sentences),
            self._language_model.reorder(state.text, rows, sentences),
        )
