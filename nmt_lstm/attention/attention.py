"""The protocol of every attention: what is kept of a source sentence, and what a query gets from it."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from nmt_lstm.errors import MissingMethodError
from nmt_lstm.numerics.batched_product import batched_operand, batched_product

__all__ = ["Attended", "Attention", "Memory", "masked_softmax"]


class Memory(NamedTuple):
    """What attention keeps of the source sentences, batch first."""

    keys: Tensor
    """(B, S, K): what queries are compared with; projected once per sentence."""
    values: Tensor
    """(B, S, M): what contexts are made of."""
    is_token: Tensor
    """(B, S), bool: True on tokens, False on padding."""


class Attended(NamedTuple):
    """What queries get."""

    context: Tensor
    """(B, Q, M): the weighted sum of the values."""
    weights: Tensor
    """(B, Q, S): sums to 1 over the tokens, 0 on padding."""
    state: tuple[Tensor, ...]
    """The attention's own state, empty for most."""


class Attention(nn.Module):
    """Base of all attentions; Q query steps are all target positions in training and the beams in search.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
    """

    recurrent: ClassVar[bool] = False
    """Whether the state of one query step is needed by the next (coverage, location, monotonic)."""

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
        """Whether contexts are the sums of `Memory.values` by the weights and nothing else, as in the base's `forward`.

        The sums of projected values are then the projected contexts, and inference projects each value once. A subclass
        with a `forward` of its own, for which that holds too, may override this.
        """
        return type(self).forward is Attention.forward and not self.recurrent

    def prepare(self, source_states: Tensor, source_is_token: Tensor) -> Memory:
        """Return the memory of source states; called once per sentence.

        Args:
            source_states: (B, S, M).
            source_is_token: (B, S), bool: True on tokens, False on padding.
        """
        keys = batched_operand(self.project_keys(source_states))
        return Memory(keys, batched_operand(source_states), source_is_token)

    def project_keys(self, source_states: Tensor) -> Tensor:
        """Return the keys (B, S, K) of the source states; by default the states themselves."""
        return source_states

    def initial_state(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return the state before the first query; empty unless `recurrent`."""
        return ()

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return (B, Q, S) unnormalised scores of queries (B, Q, query_size) against keys (B, S, K)."""
        raise MissingMethodError(self, "defines neither scores nor forward; an attention needs one of them")

    def forward(self, query: Tensor, memory: Memory, state: tuple[Tensor, ...]) -> Attended:
        """Attend with queries.

        Args:
            query: (B, Q, query_size).
            memory: what `prepare` returned, B sentences.
            state: what `initial_state` or the query before returned.
        """
        weights = masked_softmax(self.scores(query, memory.keys), memory.is_token)
        return Attended(batched_product(weights, memory.values), weights, state)


def masked_softmax(scores: Tensor, is_token: Tensor) -> Tensor:
    """Return weights that sum to 1 over the tokens of a sentence; padding gets exactly 0, and never NaN.

    Args:
        scores: (B, Q, S), unnormalised; whatever stands on padding.
        is_token: (B, S), bool: True on tokens, False on padding.

    Returns:
        (B, Q, S), float32 or more precise.
    """
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    scores = scores.masked_fill(~is_token[:, None, :], torch.finfo(torch.float32).min)
    return scores.softmax(-1).masked_fill(~is_token[:, None, :], 0.0)
