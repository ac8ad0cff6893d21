"""Attention with sparse weights."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from nmt_lstm import Attended, Attention, Linear, Memory, State, batched_product
from nmt_lstm_attentions.sparse import entmax15, sparsemax

__all__ = ["EntmaxAttention"]


class EntmaxAttention(Attention):
    r"""Products with sparse weights: irrelevant positions get exactly 0, which makes alignments readable.

    Equations::

        score(q, k) = q . (W k) / temperature
        weights     = argmax over distributions p of  p . scores + H(p)
        entmax      H(p) = sum (p - p^1.5) / (1.5 * 0.5)         (alpha-entmax with alpha = 1.5)
        sparsemax   H(p) = sum (p - p^2) / 2                      (alpha = 2)

    Source: Peters et al. 2019, "Sparse Sequence-to-Sequence Models"; sparsemax Martins and Astudillo 2016.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
        weights: "entmax", or "sparsemax", which is sparser.
        temperature: divisor of the scores; larger values spread the weights over more positions.
    """

    def __init__(
        self,
        *,
        query_size: int,
        memory_size: int,
        weights: Literal["entmax", "sparsemax"] = "entmax",
        temperature: float = 1.0,
    ) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        if temperature <= 0:
            raise ValueError(f"temperature must be above 0; got {temperature}.")
        self.weights = weights
        self.temperature = temperature
        self.key = Linear(memory_size, query_size, bias=False)

    def project_keys(self, source_states: Tensor) -> Tensor:
        """Return (B, S, query_size)."""
        keys: Tensor = self.key(source_states)
        return keys

    def forward(self, query: Tensor, memory: Memory, state: State) -> Attended:
        """Attend with queries (B, Q, query_size)."""
        scores = batched_product(query, memory.keys.transpose(1, 2)) / self.temperature
        function = entmax15 if self.weights == "entmax" else sparsemax
        weights = function(scores, memory.is_token[:, None])
        return Attended(batched_product(weights, memory.values), weights, state)
