"""Attention that never looks back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm import Memory, State, linear_recurrence
from nmt_lstm_attentions.recurrent import RecurrentAttention

__all__ = ["MonotonicAttention"]


class MonotonicAttention(RecurrentAttention):
    r"""Monotonic attention: walks over the source and stops, one position for each query; for languages of like order.

    Equations, from where the last query stopped on::

        p_j = sigmoid(g v / |v| . tanh(W q + U k_j + b) + r)       probability to stop at j; 1 at the last token
        in training   weights_j = p_j r_j,  r_j = (1 - p_(j-1)) r_(j-1) + last weights_j      (the expectation)
        otherwise     the first j with p_j >= 1/2

    Source: Raffel et al. 2017, "Online and Linear-Time Attention by Enforcing Monotonic Alignments". Stopping at the last
    token at the latest, the weights always sum to 1.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
        offset: initial r; negative values walk far at the start of the training.
        noise: standard deviation of noise on the scores in training, which makes them choose.
    """

    def __init__(
        self, *, query_size: int, memory_size: int, offset: float = -1.0, noise: float = 1.0
    ) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        if noise < 0:
            raise ValueError(f"noise is a standard deviation, at least 0; got {noise}.")
        self.noise = noise
        self.gain = nn.Parameter(torch.tensor(query_size**-0.5))
        self.offset = nn.Parameter(torch.tensor(offset))

    def initial_state(self, memory: Memory) -> State:
        """Return the last weights (B, S): all on the first position."""
        wide = torch.promote_types(memory.values.dtype, torch.float32)
        first = torch.zeros_like(memory.is_token, dtype=wide)
        first[:, 0] = 1.0
        return (first,)

    def attend(self, query: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Return the weights (B, S) of one query in each row, which are the new state."""
        (last_weights,) = state
        scores = self.energies(query, memory) * (self.gain / self.vector.norm()) + self.offset
        if self.training and self.noise:
            scores = scores + self.noise * torch.randn_like(scores)
        stops = torch.sigmoid(scores) if self.training else (scores >= 0).to(scores.dtype)
        seen = memory.is_token.cumsum(1)
        is_last = memory.is_token & (seen == seen[:, -1:])
        stops = stops.masked_fill(is_last, 1.0).masked_fill(~memory.is_token, 0.0)
        if not self.training:
            ahead = stops * last_weights.cumsum(1)  # at the last position or behind it
            weights = ahead * (ahead.cumsum(1) == ahead)
            return weights, (weights,)
        # Walked over: what arrives at a position is what has not stopped before, and what starts there.
        passed = nn.functional.pad(1.0 - stops[:, :-1], (1, 0))
        arrived = linear_recurrence(passed.t(), last_weights.t(), torch.zeros_like(stops[:, 0])).t()
        weights = stops * arrived
        return weights, (weights,)
