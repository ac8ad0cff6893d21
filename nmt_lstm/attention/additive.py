"""Additive attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attention
from nmt_lstm.numerics.pointwise import tanh
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["AdditiveAttention"]

# Elements of the sum (B, Q, S, H) held at once: 64 MiB in float32.
MAX_SUM_ELEMENTS = 1 << 24


class AdditiveAttention(Attention):
    """A small network over query and source state (Bahdanau); often the best, at several times the cost of bilinear.

    Equations::

        score(q, k) = v . tanh(W q + U k), or v . tanh(W q + U k + b) with a bias
        normed:       g v / |v| . tanh(W q + U k + b)

    Source: Bahdanau et al. 2015; normed: Salimans and Kingma 2016, as in Luong et al. 2017 (tensorflow/nmt).

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
        normed: use the weight-normalised variant, which has a bias.
        width: of the sum inside the tanh, H; 0 is the width of the queries.
        bias: add a bias inside the tanh.
    """

    def __init__(
        self,
        *,
        query_size: int,
        memory_size: int,
        normed: bool = False,
        width: int = 0,
        bias: bool = False,
    ) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        if width < 0:
            raise ValueError(f"the width of additive attention is {width}, but must be 0 or more.")
        width = width or query_size
        self.query = Linear(query_size, width, bias=False)
        self.key = Linear(memory_size, width, bias=False)
        self.vector = nn.Parameter(torch.empty(width).uniform_(-1.0, 1.0) / math.sqrt(width))
        self.scale = nn.Parameter(torch.tensor(math.sqrt(1.0 / width))) if normed else None
        self.bias = nn.Parameter(torch.zeros(width)) if normed or bias else None

    def project_keys(self, source_states: Tensor) -> Tensor:
        """Return (B, S, H)."""
        keys: Tensor = self.key(source_states)
        return keys

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return (B, Q, S), computed for some query steps at a time, so that the sum (B, Q, S, H) is never held as a whole."""
        vector = self.vector
        if self.scale is not None:
            vector = self.scale * vector / vector.norm()
        projected = self.query(query)
        if self.bias is not None:
            projected = projected + self.bias
        chunks = [projected]
        if projected.shape[1] > 1:
            # Not for a single step, which the export to ONNX traces for any number of sentences.
            chunks = list(projected.split(max(1, MAX_SUM_ELEMENTS // max(1, keys.numel())), dim=1))
        scores = [(tanh(chunk[:, :, None] + keys[:, None]) * vector).sum(-1) for chunk in chunks]
        return scores[0] if len(scores) == 1 else torch.cat(scores, 1)
