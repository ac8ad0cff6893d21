"""No attention, as a baseline."""

from __future__ import annotations

from torch import Tensor

from nmt_lstm.attention.attention import Attention

__all__ = ["NoAttention"]


class NoAttention(Attention):
    """No attention, a baseline: every target position gets the same context, the mean of the source states.

    Equation: score(q, k) = 0.
    Source: the fixed-length sentence vector of Cho et al. 2014, as a mean.
    """

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return zeros (B, Q, S)."""
        return query.new_zeros(query.shape[0], query.shape[1], keys.shape[1])
