"""The protocol of all attentions: the memory of a source sentence, and what a query reads from it.

Shapes: B batch, S source, Q query steps, K width of keys, M width of the memory.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from nmt_lstm.errors import MissingMethodError
from nmt_lstm.numerics.batched_product import batched_operand, batched_product

__all__ = ["Attended", "Attention", "Memory", "masked_softmax"]


class Memory(NamedTuple):
    """The source sentences as attention reads them, batch first."""

    keys: Tensor
    """(B, S, K): compared with queries; projected once per sentence."""
    values: Tensor
    """(B, S, M): contexts are weighted sums of them."""
    is_token: Tensor
    """(B, S), bool: True on tokens, False on padding."""


class Attended(NamedTuple):
    """The result of queries."""

    context: Tensor
    """(B, Q, M): weighted sums of the values."""
    weights: Tensor
    """(B, Q, S): they sum to 1 over the tokens, and are 0 on padding."""
    state: tuple[Tensor, ...]
    """The attention's own state, empty for most."""


class Attention(nn.Module):
    """Base of all attentions; the Q query steps are the target positions in training and the hypotheses in search.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
    """

    recurrent: ClassVar[bool] = False
    """Whether each query step needs the state of the last one (coverage, location, monotonic)."""

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.query_size = query_size
        self.memory_size = memory_size

    @property
    def context_size(self) -> int:
        """Width of the contexts."""
        return self.memory_size

    @property
    def sums_values(self) -> bool:
        """Whether contexts are nothing but weighted sums of `Memory.values`, as in the base's `forward`.

        The sums of projected values are then the projected contexts, so inference projects each value once. A subclass
        with a `forward` of its own for which this holds too may override it.
        """
        return type(self).forward is Attention.forward and not self.recurrent

    def prepare(self, source_states: Tensor, source_is_token: Tensor) -> Memory:
        """Return the memory of source sentences; called once per sentence.

        Args:
            source_states: (B, S, M).
            source_is_token: (B, S), bool: True on tokens, False on padding.
        """
        keys = batched_operand(self.project_keys(source_states))
        return Memory(keys, batched_operand(source_states), source_is_token)

    def project_keys(self, source_states: Tensor) -> Tensor:
        """Return the keys (B, S, K) of source states (B, S, M); by default the states themselves."""
        return source_states

    def initial_state(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return the state before the first query, one row per sentence; empty unless `recurrent`."""
        return ()

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return (B, Q, S) unnormalised scores of queries (B, Q, query_size) against keys (B, S, K)."""
        raise MissingMethodError(self, "defines neither scores nor forward; an attention needs one of them")

    def forward(self, query: Tensor, memory: Memory, state: tuple[Tensor, ...]) -> Attended:
        """Attend with queries.

        Args:
            query: (B, Q, query_size).
            memory: from `prepare`, of B sentences.
            state: from `initial_state` or the last query.
        """
        weights = masked_softmax(self.scores(query, memory.keys), memory.is_token)
        return Attended(batched_product(weights, memory.values), weights, state)


def masked_softmax(scores: Tensor, is_token: Tensor) -> Tensor:
    """Return weights that sum to 1 over the tokens of a sentence, with exactly 0 and never NaN on padding.

    Args:
        scores: (B, Q, S), unnormalised; any values on padding.
        is_token: (B, S), bool: True on tokens, False on padding.

    Returns:
        (B, Q, S), float32 or more precise.
    """
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    scores = scores.masked_fill(~is_token[:, None, :], torch.finfo(torch.float32).min)
    return scores.softmax(-1).masked_fill(~is_token[:, None, :], 0.0)
