"""The base of attentions with a state: additive scores, and one query after the other."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nmt_lstm import Attended, Attention, Linear, Memory, State, batched_product

__all__ = ["RecurrentAttention"]


class RecurrentAttention(Attention):
    """An attention whose state each query changes, with scores v . tanh(W q + U k + (a function of the state) + b).

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
    """

    recurrent = True

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.query = Linear(query_size, query_size)
        self.key = Linear(memory_size, query_size, bias=False)
        self.vector = nn.Parameter(torch.empty(query_size).uniform_(-1.0, 1.0) / math.sqrt(query_size))

    def project_keys(self, source_states: Tensor) -> Tensor:
        """Return (B, S, query_size)."""
        keys: Tensor = self.key(source_states)
        return keys

    def energies(self, query: Tensor, memory: Memory, added: Tensor | None = None) -> Tensor:
        """Return scores (B, S), float32 or more precise.

        Args:
            query: (B, query_size).
            memory: of B sentences.
            added: (B, S, query_size), the function of the state; None for none.
        """
        total = self.query(query)[:, None] + memory.keys
        total = total.to(torch.promote_types(total.dtype, torch.float32))
        return (torch.tanh(total if added is None else total + added) * self.vector).sum(-1)

    def attend(self, query: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Return the weights (B, S) of one query (B, query_size) in each row, and the new state."""
        raise TypeError(f"{type(self).__name__} does not define attend.")

    def forward(self, query: Tensor, memory: Memory, state: State) -> Attended:
        """Attend with queries (B, Q, query_size), one after the other."""
        weights_of_steps = []
        for step_query in query.unbind(1):
            step_weights, state = self.attend(step_query, memory, state)
            weights_of_steps.append(step_weights)
        weights = torch.stack(weights_of_steps, 1)
        return Attended(batched_product(weights, memory.values), weights, state)
