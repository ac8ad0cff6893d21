"""Attention that depends on its previous weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm import Memory, State, linear, masked_softmax
from nmt_lstm_attentions.recurrent import RecurrentAttention

__all__ = ["LocationAttention"]


class LocationAttention(RecurrentAttention):
    r"""Location-sensitive attention: sees its last weights through filters, so that it can move on from there.

    Equations, with filters F over positions::

        f = F * weights of the last query         (and F' * sum of all weights so far)
        score(q, k_j) = v . tanh(W q + U k_j + V f_j + b)

    Source: Chorowski et al. 2015, "Attention-Based Models for Speech Recognition"; with the sum Shen et al. 2018.

    Args:
        query_size: width of the queries.
        memory_size: width of the source states.
        filters: number of filters.
        width: number of positions in a filter, odd.
        cumulative: filter the sum of all weights so far as well.
    """

    def __init__(
        self,
        *,
        query_size: int,
        memory_size: int,
        filters: int = 16,
        width: int = 7,
        cumulative: bool = False,
    ) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        if width < 1 or width % 2 == 0:
            raise ValueError(
                f"width must be an odd number of positions, so that filters are centred; got {width}."
            )
        self.cumulative = cumulative
        self.reach = width // 2
        self.filters = nn.Conv1d(1 + cumulative, filters, width, padding=self.reach, bias=False)
        self.location = nn.Linear(filters, query_size, bias=False)

    def initial_state(self, memory: Memory) -> State:
        """Return the last weights, zeros, and their sum if it is filtered: (B, S) each."""
        dtype = torch.promote_types(memory.values.dtype, torch.float32)
        return (torch.zeros_like(memory.is_token, dtype=dtype),) * (1 + self.cumulative)

    def attend(self, query: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Return the weights (B, S) of one query in each row, and the new state."""
        with torch.autocast(query.device.type, enabled=False):
            # As a product of windows, whose rows have the same bits in any batch; those of a convolution have not.
            padded = nn.functional.pad(torch.stack(state, 1), (self.reach, self.reach))
            windows = padded.unfold(2, 2 * self.reach + 1, 1).transpose(1, 2).flatten(2)
            features = linear(linear(windows, self.filters.weight.flatten(1)), self.location.weight)
        weights = masked_softmax(self.energies(query, memory, features)[:, None], memory.is_token)[:, 0]
        return weights, (weights, *(total + weights for total in state[1:]))
