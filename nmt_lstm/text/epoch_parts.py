"""Which pairs of each corpus an epoch has, by the weights of the corpora.

The pairs of a corpus form an endless sequence: all of them in random order, then all of them in a different order, and so
on. An epoch takes the next round(weight x pairs) of this sequence, where the epoch before has stopped. So no pair is seen
for the second time before all have been seen once; with a weight of 2, an epoch has each pair twice, and with one of 0.25,
four epochs have different quarters. The sequence depends on the seed, the number of the corpus and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["EpochPart", "epoch_pairs", "pairs_per_epoch"]

Indices = NDArray[np.signedinteger[Any]]


class EpochPart(NamedTuple):
    """A corpus as it is drawn from."""

    pairs: int
    """Its number of pairs."""
    weight: float
    """How often an epoch has each of them."""

    @property
    def per_epoch(self) -> int:
        """Number of its pairs in an epoch."""
        return max(1, round(self.weight * self.pairs)) if self.pairs else 0


def pairs_per_epoch(parts: Sequence[EpochPart]) -> int:
    """Return the number of pairs of an epoch, with repetitions."""
    return sum(part.per_epoch for part in parts)


def epoch_pairs(parts: Sequence[EpochPart], *, seed: int, epoch: int) -> Indices | None:
    """Return the pairs of an epoch, (pairs,), in the order of the corpora; None if each pair occurs exactly once.

    Args:
        parts: the corpora, whose pairs follow each other.
        seed: of the run.
        epoch: number of the epoch, from 0.
    """
    if all(part.weight == 1.0 for part in parts):
        return None
    return np.concatenate(list(_parts(parts, seed, epoch)))


def _parts(parts: Sequence[EpochPart], seed: int, epoch: int) -> Iterator[Indices]:
    first = 0
    # Half the memory for the same order: the draws do not depend on the type.
    is_small = sum(part.pairs for part in parts) <= np.iinfo(np.int32).max
    kind: type[np.signedinteger[Any]] = np.int32 if is_small else np.int64
    for number, part in enumerate(parts):
        if part.pairs:
            begin, end = epoch * part.per_epoch, (epoch + 1) * part.per_epoch
            for turn in range(begin // part.pairs, -(-end // part.pairs)):
                # A seed of its own for each turn, so that an epoch can be computed without those before it.
                order = np.arange(first, first + part.pairs, dtype=kind)
                np.random.default_rng([seed, number, turn]).shuffle(order)
                start = turn * part.pairs
                yield order[max(begin - start, 0) : end - start]
        first += part.pairs
