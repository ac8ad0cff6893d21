"""Attention near a predicted position."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nmt_lstm import Attended, Attention, Linear, Memory, State, batched_product, masked_softmax, sigmoid

__all__ = ["LocalAttention"]


class LocalAttention(Attention):
    r"""Local attention with predicted positions ("local-p"): products with low weights far from there; for long sources.

    Equations, for a source of S tokens::

        position p = (S - 1) * sigmoid(v . tanh(W q + b))
        score(q, k_j) = q . (U k_j) - (j - p)^2 / (2 * sigma^2),   sigma = reach / 2

    Source: Luong et al. 2015, "Effective Approaches to Attention-based Neural Machine Translation". They multiply the
    weights with the Gaussian, so that these sum to less than 1; here it is part of the score, and weights sum to 1.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
        reach: distance in pieces, twice the Gaussian's standard deviation.
    """

    def __init__(self, *, query_size: int, memory_size: int, reach: float = 10.0) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        if reach <= 0:
            raise ValueError(f"reach must be a distance in pieces above 0; got {reach}.")
        self.reach = reach
        self.key = Linear(memory_size, query_size, bias=False)
        self.query = Linear(query_size, query_size)
        self.vector = nn.Parameter(torch.empty(query_size).uniform_(-1.0, 1.0) / math.sqrt(query_size))

    def project_keys(self, source_states: Tensor) -> Tensor:
        """Return (B, S, query_size)."""
        keys: Tensor = self.key(source_states)
        return keys

    def predicted_positions(self, query: Tensor, is_token: Tensor) -> Tensor:
        """Return predicted positions (B, Q) of queries (B, Q, query_size), from 0 to the last of the tokens (B, S)."""
        hidden = torch.tanh(self.query(query))
        hidden = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
        return sigmoid((hidden * self.vector).sum(-1)) * (is_token.sum(1)[:, None] - 1)

    def forward(self, query: Tensor, memory: Memory, state: State) -> Attended:
        """Attend with queries (B, Q, query_size)."""
        scores = batched_product(query, memory.keys.transpose(1, 2))
        predicted = self.predicted_positions(query, memory.is_token)
        positions = torch.arange(scores.shape[2], device=scores.device, dtype=predicted.dtype)
        distance = (positions - predicted[..., None]) / (0.5 * self.reach)
        weights = masked_softmax(scores - 0.5 * distance.square(), memory.is_token)
        return Attended(batched_product(weights, memory.values), weights, state)
