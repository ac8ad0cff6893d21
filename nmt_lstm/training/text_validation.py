"""The validation of a language model: the loss of the validation text."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nmt_lstm.batching.batch import Batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.validation import BatchResult, ValidationResult, gathered, mean_loss

__all__ = ["TextValidation"]


class TextValidation:
    """One pass over the validation text; its batches may be divided among processes in any way.

    The arguments are those of `nmt_lstm.training.validation.Validation`; only the model matters.
    """

    def __init__(
        self,
        model: Trainable,
        *,
        search: SearchSettings,
        subwords: Subwords,
        tokenize: str,
        references: Sequence[str],
    ) -> None:
        self.model = model
        self._batch_results: list[BatchResult] = []

    @torch.no_grad()
    def add(self, batch: Batch) -> None:
        """Score one batch. The model must be in evaluation mode; no random numbers are drawn."""
        loss = self.model.loss(batch, label_smoothing=0.0)
        self._batch_results.append(
            BatchResult(
                indices=batch.indices.tolist(),
                texts=[],
                loss=float(loss.negative_log_likelihood),
                pieces=batch.target_pieces,
            )
        )

    def result(self) -> ValidationResult:
        """Combine the batches of all processes; each process gets the same result, to the last bit."""
        results = gathered(self._batch_results)
        return ValidationResult(
            loss=mean_loss(results), lines=sum(len(each.indices) for each in results), scores={}
        )
