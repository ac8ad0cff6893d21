"""Scaled dot-product attention."""

from __future__ import annotations

import math

from torch import Tensor, nn

from nmt_lstm.attention.attention import Attention
from nmt_lstm.numerics.batched_product import batched_product
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["DotAttention"]


class DotAttention(Attention):
    """Scaled dot products of query and source states; few or no parameters.

    Equation: score(q, k) = q . k / sqrt(width), or q . k if not scaled; if widths differ, the query is projected first.
    Source: Luong et al. 2015 ("dot"), scaled as in Vaswani et al. 2017.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
        scaled: divide by the square root of the width.
    """

    def __init__(self, *, query_size: int, memory_size: int, scaled: bool = True) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.divisor = math.sqrt(memory_size) if scaled else 1.0
        same = query_size == memory_size
        self.project_query: nn.Module = nn.Identity() if same else Linear(query_size, memory_size, bias=False)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return (B, Q, S)."""
        projected = self.project_query(query) / self.divisor
        return batched_product(projected, keys.transpose(1, 2))
