"""Embeddings of pieces."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.model.dropout import Dropout
from nmt_lstm.text.special_pieces import END, UNKNOWN

__all__ = ["PieceEmbedding"]


class PieceEmbedding(nn.Module):
    """Embeddings of pieces, with word dropout on the pieces and dropout on the vectors.

    They are drawn from a normal distribution of variance 1 / width, so that a tied output layer starts with logits of order 1
    (Vaswani et al. 2017, as implemented).

    Args:
        size: number of pieces, V.
        width: width of a vector.
        dropout: applied to the vectors.
        word_dropout: probability that a piece is replaced by UNKNOWN in training (Iyyer et al. 2015).
    """

    def __init__(self, size: int, width: int, *, dropout: Dropout, word_dropout: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, width) / width**0.5)
        self.dropout = dropout
        self.word_dropout = word_dropout

    def forward(self, pieces: Tensor) -> Tensor:
        """Return the vectors (B, T, width) of pieces (B, T)."""
        if self.training and self.word_dropout:
            dropped = torch.rand(pieces.shape, device=pieces.device) < self.word_dropout
            pieces = torch.where(dropped & (pieces > END), UNKNOWN, pieces)
        vectors: Tensor = self.dropout(nn.functional.embedding(pieces, self.weight))
        return vectors
