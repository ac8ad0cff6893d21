"""Pieces made into vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.model.dropout import Dropout
from nmt_lstm.text.special_pieces import END, UNKNOWN

__all__ = ["PieceEmbedding"]


class PieceEmbedding(nn.Module):
    """Embeddings of pieces, with dropout on them and word dropout before.

    Drawn from a normal distribution of variance 1 / width, so that a tied output layer starts with logits of order 1
    (Vaswani et al. 2017, as implemented).

    Args:
        size: number of pieces, V.
        width: width of a vector.
        dropout: applied to the vectors.
        word_dropout: probability that a piece is replaced by the unknown one in training (Iyyer et al. 2015).
    """

    def __init__(self, size: int, width: int, *, dropout: Dropout, word_dropout: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, width) / width**0.5)
        self.dropout = dropout
        self.word_dropout = word_dropout

    def forward(self, pieces: Tensor) -> Tensor:
        """Return (B, T, width) of (B, T) pieces."""
        if self.training and self.word_dropout:
            chosen = torch.rand(pieces.shape, device=pieces.device) < self.word_dropout
            pieces = torch.where(chosen & (pieces > END), UNKNOWN, pieces)
        vectors: Tensor = self.dropout(nn.functional.embedding(pieces, self.weight))
        return vectors
