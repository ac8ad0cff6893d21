"""Attention that never moves backwards."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm import Memory, State, linear_recurrence
from nmt_lstm_attentions.recurrent import RecurrentAttention

__all__ = ["MonotonicAttention"]


class MonotonicAttention(RecurrentAttention):
    r"""Monotonic attention: each query moves forward and stops at one position; for languages with similar word order.

    Equations, starting where the last query stopped::

        p_j = sigmoid(g v / |v| . tanh(W q + U k_j + b) + r)       probability to stop at j; 1 at the last token
        in training   weights_j = p_j r_j,  r_j = (1 - p_(j-1)) r_(j-1) + last weights_j      (the expectation)
        otherwise     the first j with p_j >= 1/2

    Source: Raffel et al. 2017, "Online and Linear-Time Attention by Enforcing Monotonic Alignments". Each query
    stops at the last token at the latest, so weights always sum to 1.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
        offset: initial r; with negative values, queries move far at the start of training.
        noise: standard deviation of noise on the scores in training, which makes decisions discrete.
    """

    def __init__(
        self, *, query_size: int, memory_size: int, offset: float = -1.0, noise: float = 1.0
    ) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        if noise < 0:
            raise ValueError(f"noise must be a standard deviation of at least 0; got {noise}.")
        self.noise = noise
        self.gain = nn.Parameter(torch.tensor(query_size**-0.5))
        self.offset = nn.Parameter(torch.tensor(offset))

    def initial_state(self, memory: Memory) -> State:
        """Return the last weights (B, S): all on the first position."""
        dtype = torch.promote_types(memory.values.dtype, torch.float32)
        first = torch.zeros_like(memory.is_token, dtype=dtype)
        first[:, 0] = 1.0
        return (first,)

    def attend(self, query: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Return the weights (B, S) of one query in each row, which are the new state."""
        (last_weights,) = state
        scores = self.energies(query, memory) * (self.gain / self.vector.norm()) + self.offset
        if self.training and self.noise:
            scores = scores + self.noise * torch.randn_like(scores)
        stops = torch.sigmoid(scores) if self.training else (scores >= 0).to(scores.dtype)
        counts = memory.is_token.cumsum(1)
        is_last = memory.is_token & (counts == counts[:, -1:])
        stops = stops.masked_fill(is_last, 1.0).masked_fill(~memory.is_token, 0.0)
        if not self.training:
            # Possible stops at the last position or after it, of which the first is chosen.
            possible = stops * last_weights.cumsum(1)
            weights = possible * (possible.cumsum(1) == possible)
            return weights, (weights,)
        # r_j: the probability of reaching j is that of passing j - 1, plus that of starting at j.
        passing = nn.functional.pad(1.0 - stops[:, :-1], (1, 0))
        reaching = linear_recurrence(passing.t(), last_weights.t(), torch.zeros_like(stops[:, 0])).t()
        weights = stops * reaching
        return weights, (weights,)
