"""Bilinear attention."""

from __future__ import annotations

from torch import Tensor

from nmt_lstm.attention.attention import Attention
from nmt_lstm.numerics.batched_product import batched_product
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["BilinearAttention"]


class BilinearAttention(Attention):
    """Products of the query with projected source states (Luong's "general"); fast and accurate.

    Equation: score(q, k) = q . (W k).
    Source: Luong et al. 2015.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
    """

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.key = Linear(memory_size, query_size, bias=False)

    def project_keys(self, source_states: Tensor) -> Tensor:
        """Return (B, S, query_size)."""
        keys: Tensor = self.key(source_states)
        return keys

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return (B, Q, S)."""
        return batched_product(query, keys.transpose(1, 2))
