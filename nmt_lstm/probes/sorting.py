"""Sorting: symbols in any order, then the same symbols in order."""

from __future__ import annotations

import math

import torch
from torch import Generator

from nmt_lstm.probes.task import Classification, Episode, one_hot

__all__ = ["Sorting"]

_SYMBOLS = 8


class Sorting(Classification):
    """T symbols of eight, then T positions in which they shall come out from the smallest to the largest."""

    name = "sort"
    question = "put T symbols out in order, which takes a count of each"
    source = "after the priority sort of Graves et al. 2014"
    baseline_text = "mean entropy of the order statistics: the likeliest symbols for each place"
    input_size = _SYMBOLS + 1
    output_size = _SYMBOLS

    def baseline(self, length: int) -> float:
        """Return the mean entropy of the i-th smallest of T symbols, over i: the best that a clock alone can do."""
        return sum(_order_entropy(rank, length) for rank in range(1, length + 1)) / length

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs (B, 2T, 9) and targets (B, T)."""
        symbols = torch.randint(0, _SYMBOLS, (rows, length), generator=generator)
        asked = torch.full((rows, length), _SYMBOLS)
        return Episode(one_hot(torch.cat([symbols, asked], 1), self.input_size), symbols.sort(1).values)


def _order_entropy(rank: int, length: int) -> float:
    """Entropy in nats of the `rank`-th smallest of `length` symbols drawn uniformly."""
    # P(the rank-th smallest is among the first s symbols) = P(at least `rank` of the draws are).
    reached = [0.0]
    for symbols in range(1, _SYMBOLS):
        share = symbols / _SYMBOLS
        reached.append(
            math.fsum(math.exp(_log_binomial(length, count, share)) for count in range(rank, length + 1))
        )
    reached.append(1.0)
    chances = [max(0.0, after - before) for before, after in zip(reached, reached[1:], strict=False)]
    return -sum(chance * math.log(chance) for chance in chances if chance > 0.0)


def _log_binomial(draws: int, count: int, share: float) -> float:
    """Log probability of `count` hits in `draws` with chance `share` each, 0 < share < 1."""
    ways = math.lgamma(draws + 1) - math.lgamma(count + 1) - math.lgamma(draws - count + 1)
    return ways + count * math.log(share) + (draws - count) * math.log1p(-share)
