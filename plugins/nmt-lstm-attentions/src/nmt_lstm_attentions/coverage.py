"""Attention that knows how much attention each source position has received."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm import Linear, Memory, State, masked_softmax, sigmoid
from nmt_lstm_attentions.recurrent import RecurrentAttention

__all__ = ["CoverageAttention"]


class CoverageAttention(RecurrentAttention):
    r"""Additive attention that sees the sum of its weights so far; it prevents repetitions and omissions.

    Equations::

        coverage c_j = (sum of all weights on j so far) / fertility_j
        fertility_j = most * sigmoid(u . k_j + d)         (1 if `fertility` is 0)
        score(q, k_j) = v . tanh(W q + U k_j + w c_j + b)

    Source: Tu et al. 2016, "Modeling Coverage for Neural Machine Translation" (linguistic coverage); without fertility
    See et al. 2017. Gradients reach all earlier weights through the sum.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
        fertility: largest number of target pieces that a source position may produce; 0 means 1 for every position.
    """

    def __init__(self, *, query_size: int, memory_size: int, fertility: float = 0.0) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        if fertility < 0:
            raise ValueError(f"fertility must be 0 or a positive number of target pieces; got {fertility}.")
        self.fertility = fertility
        self.coverage = nn.Parameter(torch.empty(query_size).uniform_(-0.1, 0.1))
        self.worth = Linear(memory_size, 1) if fertility else None

    def initial_state(self, memory: Memory) -> State:
        """Return the sums of weights, zeros, and the fertilities by which they are divided: (B, S) each."""
        dtype = torch.promote_types(memory.values.dtype, torch.float32)
        zeros = torch.zeros_like(memory.is_token, dtype=dtype)
        if self.worth is None:
            return (zeros,)
        return zeros, self.fertility * sigmoid(self.worth(memory.values)[..., 0].to(dtype))

    def attend(self, query: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Return the weights (B, S) of one query in each row, and the new sums."""
        total, *fertility = state
        coverage = total / fertility[0] if fertility else total
        scores = self.energies(query, memory, coverage[..., None] * self.coverage)
        weights = masked_softmax(scores[:, None], memory.is_token)[:, 0]
        return weights, (total + weights, *fertility)
