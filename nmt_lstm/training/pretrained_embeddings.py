"""Embeddings that start from word vectors: which pieces have one, and where it is put."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.piece_words import PieceWords
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.text.word_vectors import PieceVectors, read_piece_vectors, vector_width

__all__ = ["VectorReport", "check_vectors", "start_embeddings"]

_EMBEDDINGS = {"source": "encoder.embedding.weight", "target": "target_embedding.weight"}


@dataclass(frozen=True)
class VectorReport:
    """What the embeddings of one side got from a file of word vectors."""

    side: str
    vectors: PieceVectors
    size: int
    """Pieces of the vocabulary."""
    running_share: float
    """Share of the pieces of the training text that have a vector."""
    factor: float
    """By which the vectors were multiplied."""

    def describe(self) -> str:
        """Return a sentence for the user."""
        count = len(self.vectors.pieces)
        skipped = (
            f"; {count_of(self.vectors.malformed, 'malformed line')} left out, from line {self.vectors.first_malformed:,} on"
            if self.vectors.malformed
            else ""
        )
        return (
            f"{count:,} of {self.size:,} {self.side} pieces ({count / self.size:.1%}), which are {self.running_share:.1%} of the "
            f"training text, start from '{self.vectors.path}', multiplied by {self.factor:.3g}; the others start at random"
            f"{skipped}."
        )

    def record(self) -> dict[str, Any]:
        """Return what a model folder keeps."""
        return {
            "file": self.vectors.path.name,
            "sha256": self.vectors.sha256,
            "pieces": len(self.vectors.pieces),
            "share_of_pieces": round(len(self.vectors.pieces) / self.size, 4),
            "share_of_text": round(self.running_share, 4),
            "factor": self.factor,
        }


def vector_files(settings: TrainingSettings) -> dict[str, Path]:
    """Return the files of word vectors by side."""
    files = {"source": settings.source_vectors, "target": settings.target_vectors}
    return {side: path for side, path in files.items() if path is not None}


def check_vectors(settings: TrainingSettings, embedding_size: int) -> None:
    """Read the beginning of the files of word vectors, so that nothing long runs in vain.

    Raises:
        ConfigurationError: the vectors are not as wide as the embeddings.
        DataError: a file cannot be read, or has no vectors.
    """
    for side, path in vector_files(settings).items():
        width = vector_width(path)
        if width != embedding_size:
            raise ConfigurationError(
                f"training.{side}_vectors: the vectors in '{path}' have {width:,} values, but model.embedding_size is "
                f"{embedding_size:,}; set model.embedding_size={width}.",
                key=f"training.{side}_vectors",
                value=str(path),
            )


@torch.no_grad()
def start_embeddings(settings: TrainingSettings, model: nn.Module, prepared: Prepared) -> list[VectorReport]:
    """Put word vectors into the embeddings of a new model, and return what they cover.

    They are scaled to the variance of the initial embeddings, 1 / width, which the other pieces keep. If one embedding
    serves both sides, a piece that both files have gets the vector of the side that has it more often.

    Args:
        settings: which name the files.
        model: with new weights.
        prepared: the text, which says how frequent pieces are.

    Raises:
        DataError: a file cannot be read, or has no vector for any piece.
    """
    # A tied weight has several names.
    weights = dict(model.named_parameters(remove_duplicate=False))
    reports = []
    counts = _counts(prepared)
    files = vector_files(settings)
    own = {
        side: read_piece_vectors(path, PieceWords(getattr(prepared.subwords, side)))
        for side, path in files.items()
    }
    is_shared = len(own) == 2 and weights[_EMBEDDINGS["source"]] is weights[_EMBEDDINGS["target"]]
    for side, vectors in own.items():
        weight = weights[_EMBEDDINGS[side]]
        values, factor = vectors.scaled(weight.shape[1] ** -0.5)
        used = np.ones(len(vectors.pieces), np.bool_)
        if is_shared:
            other = "target" if side == "source" else "source"
            is_rarer = _shares(counts[side])[vectors.pieces] < _shares(counts[other])[vectors.pieces]
            used = ~(is_rarer & np.isin(vectors.pieces, own[other].pieces))
        weight[torch.from_numpy(vectors.pieces[used])] = torch.from_numpy(values[used]).to(weight.dtype)
        running = counts[side][vectors.pieces].sum() / max(1, counts[side].sum())
        reports.append(VectorReport(side, vectors, weight.shape[0], float(running), factor))
    return reports


def _counts(prepared: Prepared) -> Mapping[str, NDArray[np.int64]]:
    """Return how often each piece occurs in the training text; in the validation text if that is a stream."""
    if prepared.store is None:
        sides = {"source": prepared.valid_source, "target": prepared.valid_target}
        counts = {}
        for side, lines in sides.items():
            vocabulary = getattr(prepared.subwords, side)
            pieces = [piece for line in vocabulary.encode_lines(lines) for piece in line]
            counts[side] = np.bincount(np.array(pieces, np.int64), minlength=vocabulary.size)
        return counts
    return {
        "source": prepared.train.source.counts(prepared.subwords.source.size),
        "target": prepared.train.target.counts(prepared.subwords.target.size),
    }


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return counts / max(1, int(counts.sum()))
