"""Multi-head attention."""

from __future__ import annotations

import math

from torch import Tensor

from nmt_lstm.attention.attention import Attended, Attention, Memory, masked_softmax
from nmt_lstm.numerics.batched_product import batched_product
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(Attention):
    """Several scaled dot products over slices of the width, each with its own projections; the weights returned are their mean.

    Equations, for each head i of width d::

        w_i = softmax(Q_i q . K_i k / sqrt(d));   context = O [sum w_1 V_1 k; ...; sum w_n V_n k]

    Source: Vaswani et al. 2017; with recurrent decoders Chen et al. 2018 (RNMT+).

    Args:
        query_size: width of the queries.
        memory_size: width of the source states; a multiple of `heads`.
        heads: number of heads.
    """

    def __init__(self, *, query_size: int, memory_size: int, heads: int = 8) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        if heads < 1 or memory_size % heads:
            raise ValueError(
                f"multi_head: heads={heads} must be at least 1 and divide the source states' width {memory_size}."
            )
        self.heads = heads
        self.query = Linear(query_size, memory_size)
        # No bias: it would add the same number to all scores of a query, which changes no softmax.
        self.key = Linear(memory_size, memory_size, bias=False)
        self.value = Linear(memory_size, memory_size)
        self.output = Linear(memory_size, memory_size)

    def prepare(self, source_states: Tensor, source_is_token: Tensor) -> Memory:
        """Return the memory with projected keys and values, (B, S, M) each."""
        return Memory(self.key(source_states), self.value(source_states), source_is_token)

    def _by_head(self, tensor: Tensor) -> Tensor:
        """Return (B * heads, L, M / heads) of (B, L, M)."""
        batch, length, width = tensor.shape
        heads = tensor.reshape(batch, length, self.heads, width // self.heads).transpose(1, 2)
        # A single sentence would be a view, with strides for which libraries may round products differently.
        return heads.reshape(batch * self.heads, length, width // self.heads).contiguous()

    def forward(self, query: Tensor, memory: Memory, state: tuple[Tensor, ...]) -> Attended:
        """Attend with queries (B, Q, query_size)."""
        batch, steps = query.shape[:2]
        keys, values = self._by_head(memory.keys), self._by_head(memory.values)
        queries = self._by_head(self.query(query)) / math.sqrt(keys.shape[-1])
        scores = batched_product(queries, keys.transpose(1, 2))
        weights = masked_softmax(scores, memory.is_token.repeat_interleave(self.heads, 0))
        contexts = batched_product(weights, values).reshape(batch, self.heads, steps, -1)
        merged = contexts.transpose(1, 2).reshape(batch, steps, self.memory_size)
        return Attended(self.output(merged), weights.reshape(batch, self.heads, steps, -1).mean(1), state)
