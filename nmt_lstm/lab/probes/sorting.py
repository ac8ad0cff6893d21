"""Sorting: symbols in any order, then the same symbols in order."""

from __future__ import annotations

import functools
import itertools
import math

import torch
from torch import Generator

from nmt_lstm.lab.probes.task import Classification, Episode, one_hot

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
        return _mean_order_entropy(length)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs (B, 2T, 9) and targets (B, T)."""
        symbols = torch.randint(0, _SYMBOLS, (rows, length), generator=generator)
        asked = torch.full((rows, length), _SYMBOLS)
        return Episode(one_hot(torch.cat([symbols, asked], 1), self.input_size), symbols.sort(1).values)


@functools.cache
def _mean_order_entropy(length: int) -> float:
    """Mean over the ranks of the entropy, in nats, of the symbol of that rank among `length` uniform draws."""
    # The symbol of a rank is among the first s symbols where at least so many draws are.
    reached = [[0.0] * length]
    for symbols in range(1, _SYMBOLS):
        share = symbols / _SYMBOLS
        chances = [math.exp(_log_binomial(length, count, share)) for count in range(length, 0, -1)]
        reached.append(list(itertools.accumulate(chances))[::-1])
    reached.append([1.0] * length)
    entropies = (
        -chance * math.log(chance)
        for before, after in itertools.pairwise(reached)
        for low, high in zip(before, after, strict=True)
        if (chance := high - low) > 0.0
    )
    return math.fsum(entropies) / length


def _log_binomial(draws: int, count: int, share: float) -> float:
    """Log probability of `count` hits in `draws` with chance `share` each, 0 < share < 1."""
    ways = math.lgamma(draws + 1) - math.lgamma(count + 1) - math.lgamma(draws - count + 1)
    return ways + count * math.log(share) + (draws - count) * math.log1p(-share)
