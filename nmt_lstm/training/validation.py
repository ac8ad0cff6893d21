"""One validation: the loss of the references, and the scores of the model's own translations, on plain text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.distributed

from nmt_lstm.batching.batch import Batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.evaluation.scores import Score, corpus_scores
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.devices import gather_objects

__all__ = [
    "SCORE_LABELS",
    "BatchResult",
    "RunValidation",
    "Validation",
    "ValidationResult",
    "gathered",
    "is_better",
    "mean_loss",
]

SCORE_LABELS = {"bleu": "BLEU", "chrf": "chrF", "f1": "macro F1"}
"""Names of metrics for people; others are their own."""


def is_better(metric: str, value: float, than: float) -> bool:
    """Whether `value` of the metric "loss", "bleu" or "chrf" is strictly better than `than`."""
    return value < than if metric == "loss" else value > than


@dataclass(frozen=True)
class ValidationResult:
    """The loss and the scores of a validation, and the translations of a translator."""

    loss: float
    """Negative log-likelihood of the references, in nats per target piece (END counted, padding not)."""
    lines: int
    """Number of lines that were validated."""
    scores: Mapping[str, Score]
    """By their names as metrics: "bleu" and "chrf" of translations."""
    indices: list[int] = field(default_factory=list)
    """Line numbers, from 0, of the translated validation text: all, unless batches were left out."""
    translations: list[str] = field(default_factory=list)
    """The model's translations of those lines."""
    is_likelihood: bool = True
    """Whether the loss is a negative log-likelihood; if not, there is no perplexity."""
    sets: Mapping[str, ValidationResult] = field(default_factory=dict)
    """The results of several validation sets, by their names; this one is then that of the set that decides."""

    @property
    def perplexity(self) -> float:
        """Perplexity per target piece."""
        return math.exp(min(self.loss, 700.0))

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics by which checkpoints can be ranked: "loss", and the scores."""
        return {"loss": self.loss, **{name: score.value for name, score in self.scores.items()}}

    @property
    def logged(self) -> dict[str, float]:
        """The metrics by their names in logs: "valid_loss", "valid_perplexity", and the scores, such as "valid_bleu"."""
        perplexity = {"valid_perplexity": self.perplexity} if self.is_likelihood else {}
        return {f"valid_{name}": value for name, value in self.metrics.items()} | perplexity

    def to_json(self, beam_size: int) -> dict[str, Any]:
        """Return the result as stored in a model folder's ``metrics.json``; `beam_size` is that of the validation."""
        return {
            "sentences": self.lines,
            "beam_size": beam_size,
            "loss": self.loss,
            **({"perplexity": self.perplexity} if self.is_likelihood else {}),
            **{
                name: {"score": score.value, "signature": score.signature}
                for name, score in self.scores.items()
            },
        }


@dataclass(frozen=True)
class BatchResult:
    """The contribution of one batch."""

    indices: list[int]
    texts: list[str]
    loss: float
    pieces: int


class RunValidation(Protocol):
    """One pass over the validation text, whatever the task is."""

    def add(self, batch: Batch) -> None:
        """Validate one batch."""
        ...

    def result(self) -> ValidationResult:
        """Combine the batches of all processes."""
        ...


class Validation:
    """One pass over the validation text; its batches may be divided among processes in any way."""

    def __init__(
        self,
        model: Seq2Seq,
        *,
        search: SearchSettings,
        subwords: Subwords,
        tokenize: str,
        references: Sequence[str],
    ) -> None:
        self.model = model
        self.search = search
        self.subwords = subwords
        self.tokenize = tokenize
        self.references = references
        self._batch_results: list[BatchResult] = []

    @torch.no_grad()
    def add(self, batch: Batch) -> None:
        """Score and translate one batch. The model must be in evaluation mode; no random numbers are drawn."""
        loss = self.model.loss(batch, label_smoothing=0.0)
        hypotheses = beam_search(self.model, batch.source, self.search, n_best=1, keep_attention=False)
        lengths = batch.source.lengths.tolist()
        self._batch_results.append(
            BatchResult(
                indices=batch.indices.tolist(),
                # A source of END alone is an empty line: its translation is empty by definition.
                texts=[
                    self.subwords.target.decode(list(best[0].pieces)) if length > 1 and best else ""
                    for best, length in zip(hypotheses, lengths, strict=True)
                ],
                loss=float(loss.negative_log_likelihood),
                pieces=batch.target_pieces,
            )
        )

    def result(self) -> ValidationResult:
        """Combine the batches of all processes; each process gets the same result, to the last bit."""
        results = gathered(self._batch_results)
        texts = {
            index: text for each in results for index, text in zip(each.indices, each.texts, strict=True)
        }
        indices = sorted(texts)
        translations = [texts[index] for index in indices]
        bleu, chrf = corpus_scores(
            translations,
            [self.references[index] for index in indices],
            metrics=("bleu", "chrf"),
            tokenize=self.tokenize,
        )
        return ValidationResult(
            loss=mean_loss(results),
            lines=len(indices),
            scores={"bleu": bleu, "chrf": chrf},
            indices=indices,
            translations=translations,
        )


def gathered(results: list[BatchResult]) -> list[BatchResult]:
    """Return the results of the batches of all processes, given those of this one."""
    return [each for of_process in gather_objects(results) for each in of_process]


def mean_loss(results: Sequence[BatchResult]) -> float:
    """Return the loss per target piece."""
    # An exact sum: the loss does not depend on the order, and so not on the number of processes.
    return math.fsum(each.loss for each in results) / max(1, sum(each.pieces for each in results))
