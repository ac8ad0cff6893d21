"""Contexts projected before attention sums them: once per source position instead of once per hypothesis and step.

The output layer reads W [h; c] with c = sum_s a_s v_s. As the product is linear, W_c c = sum_s a_s (W_c v_s).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attended, Attention, Memory
from nmt_lstm.numerics.frozen_linear import FrozenLinear

__all__ = ["ProjectedContextAttention", "SplitReadout", "can_project_contexts"]


class ProjectedContextAttention(Attention):
    """An attention whose contexts are already what the output layer makes of them.

    Args:
        attention: one that `can_project_contexts`.
        projection: of the values, (M) to (E).
    """

    def __init__(self, attention: Attention, projection: FrozenLinear) -> None:
        super().__init__(query_size=attention.query_size, memory_size=attention.memory_size)
        self.attention = attention
        self.projection = projection

    @property
    def context_size(self) -> int:
        """Width of the contexts, E."""
        return self.projection.out_features

    def prepare(self, source_states: Tensor, source_is_token: Tensor) -> Memory:
        """Return the memory with the values projected, once per sentence."""
        memory = self.attention.prepare(source_states, source_is_token)
        return memory._replace(values=self.projection(memory.values))

    def forward(self, query: Tensor, memory: Memory, state: tuple[Tensor, ...]) -> Attended:
        """Attend with queries (B, Q, query_size)."""
        attended: Attended = self.attention(query, memory, state)
        return attended


class SplitReadout(nn.Module):
    """The output layer of which the context's part is already computed: (..., H + E) to (..., E).

    Args:
        projection: of the first part, the decoder's outputs, with the bias.
    """

    def __init__(self, projection: FrozenLinear) -> None:
        super().__init__()
        self.projection = projection
        self.out_features = projection.out_features

    def forward(self, parts: Tensor) -> Tensor:
        """Return the sum of the projected outputs and the context."""
        outputs, context = parts.split([self.projection.in_features, self.out_features], -1)
        return torch.add(self.projection(outputs), context)


def can_project_contexts(attention: Attention) -> bool:
    """Whether contexts are nothing but weighted sums of the values: attention's `forward` is the base's."""
    return type(attention).forward is Attention.forward and not attention.recurrent
