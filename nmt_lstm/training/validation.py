"""Validation: the loss of the references, and the scores of the model's own translations, on plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed

from nmt_lstm.batching.batch import Batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.evaluation.scores import corpus_scores
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.devices import is_distributed

__all__ = ["Validation", "ValidationResult"]


@dataclass(frozen=True)
class ValidationResult:
    """The loss, the scores and the translations of a validation."""

    loss: float
    """Negative log-likelihood of the references, in nats per target piece (END counted, padding not)."""
    bleu: float
    chrf: float
    signatures: dict[str, str]
    """sacreBLEU's signatures of "bleu" and "chrf"."""
    indices: list[int]
    """Which lines of the validation text were translated: all, unless batches were left out."""
    translations: list[str]
    """Our translations of those lines."""

    @property
    def perplexity(self) -> float:
        """Perplexity per target piece."""
        return math.exp(min(self.loss, 700.0))

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers that checkpoints are chosen by."""
        return {"loss": self.loss, "bleu": self.bleu, "chrf": self.chrf}

    @property
    def logged(self) -> dict[str, float]:
        """The numbers by their names in logs: "valid_loss", "valid_bleu", "valid_chrf" and "valid_perplexity"."""
        return {f"valid_{name}": value for name, value in self.metrics.items()} | {
            "valid_perplexity": self.perplexity
        }

    def record(self, beam_size: int) -> dict[str, Any]:
        """Return what a model folder's ``metrics.json`` keeps; `beam_size` is that of the validation."""
        return {
            "sentences": len(self.indices),
            "beam_size": beam_size,
            "loss": self.loss,
            "perplexity": self.perplexity,
            "bleu": {"score": self.bleu, "signature": self.signatures["bleu"]},
            "chrf": {"score": self.chrf, "signature": self.signatures["chrf"]},
        }


@dataclass(frozen=True)
class _Part:
    """What one batch contributes."""

    indices: list[int]
    texts: list[str]
    loss: float
    pieces: int


class Validation:
    """One pass over the validation text; batches may be spread over processes in any way."""

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
        self._parts: list[_Part] = []

    @torch.no_grad()
    def add(self, batch: Batch) -> None:
        """Score and translate one batch. The model must be in evaluation mode; nothing random is drawn."""
        loss = self.model.loss(batch, label_smoothing=0.0)
        hypotheses = beam_search(self.model, batch.source, self.search, n_best=1, keep_attention=False)
        lengths = batch.source.lengths.tolist()
        self._parts.append(
            _Part(
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
        """Gather the parts of all processes; each gets the same numbers, to the last bit."""
        parts = self._parts
        if is_distributed():
            gathered: list[list[_Part] | None] = [None] * torch.distributed.get_world_size()
            torch.distributed.all_gather_object(gathered, parts)
            parts = [part for of_rank in gathered if of_rank is not None for part in of_rank]
        texts = {index: text for part in parts for index, text in zip(part.indices, part.texts, strict=True)}
        indices = sorted(texts)
        translations = [texts[index] for index in indices]
        bleu, chrf = corpus_scores(
            translations,
            [self.references[index] for index in indices],
            metrics=("bleu", "chrf"),
            tokenize=self.tokenize,
        )
        return ValidationResult(
            loss=math.fsum(part.loss for part in parts) / max(1, sum(part.pieces for part in parts)),
            bleu=bleu.value,
            chrf=chrf.value,
            signatures={"bleu": bleu.signature, "chrf": chrf.signature},
            indices=indices,
            translations=translations,
        )
