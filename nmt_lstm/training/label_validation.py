"""The validation of a classifier: the loss of the labels, and how many are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch

from nmt_lstm.batching.batch import Batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.evaluation.classification import label_scores
from nmt_lstm.model.classifier import Classifier
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.text.labels import labels_of
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.validation import BatchResult, ValidationResult, gathered, mean_loss

__all__ = ["LabelValidation"]


class LabelValidation:
    """One pass over the validation texts; its batches may be divided among processes in any way.

    The arguments are those of `nmt_lstm.training.validation.Validation`; the references are labels.
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
        self.model = cast(Classifier, model)
        self.references = references
        self._labels = labels_of(subwords.target)
        self._batch_results: list[BatchResult] = []

    @torch.no_grad()
    def add(self, batch: Batch) -> None:
        """Classify one batch. The model must be in evaluation mode; no random numbers are drawn."""
        loss = self.model.loss(batch, label_smoothing=0.0)
        best = self.model(batch.source).argmax(dim=-1).tolist()
        self._batch_results.append(
            BatchResult(
                indices=batch.indices.tolist(),
                texts=[self._labels[number] for number in best],
                loss=float(loss.negative_log_likelihood),
                pieces=batch.target_pieces,
            )
        )

    def result(self) -> ValidationResult:
        """Combine the batches of all processes; each process gets the same result, to the last bit."""
        results = gathered(self._batch_results)
        predicted = {
            index: text for each in results for index, text in zip(each.indices, each.texts, strict=True)
        }
        indices = sorted(predicted)
        return ValidationResult(
            loss=mean_loss(results),
            lines=len(indices),
            scores=label_scores(
                [predicted[index] for index in indices], [self.references[index].strip() for index in indices]
            ),
        )
