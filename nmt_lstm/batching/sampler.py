"""Which pairs make up each step: batches of like lengths under a budget of pieces, the same on any number of devices.

A step's global batch is planned first and then split over processes and accumulation, so that the optimisation does
not depend on how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EpochPlan", "Share", "plan_epoch"]

Numbers = NDArray[np.int64]
Lengths = NDArray[np.integer[Any]]

# Pairs sorted by length together: enough that batches hold nearly equal lengths, few enough to be random.
POOL = 1 << 18
# The source side may take this many times the budget of the target side.
SOURCE_BUDGET = 2.0


@dataclass(frozen=True)
class Share:
    """One process's part of a step, or of it one accumulated part."""

    indices: Numbers
    """(B,): numbers of the pairs."""
    loss_divisor: float
    """What its summed loss is divided by: see `EpochPlan.share`."""
    masked: bool
    """True where the step had fewer pairs than parts: the share repeats a pair that must not be learnt from."""


class EpochPlan:
    """The steps of one epoch.

    Args:
        order: (pairs,): numbers of the pairs, step after step.
        ends: (steps,): where each step ends in `order`.
        target_lengths: (pairs,): target pieces of each pair by its number, END included.
        epoch: which one it is, from 0.
    """

    def __init__(self, order: Numbers, ends: Numbers, target_lengths: Lengths, epoch: int = 0) -> None:
        self.epoch = epoch
        self._order = order
        self._bounds = np.concatenate([np.zeros(1, np.int64), ends])
        self._target_lengths = target_lengths

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def pairs(self, step: int) -> Numbers:
        """Return the numbers of the pairs of a step."""
        return self._order[self._bounds[step] : self._bounds[step + 1]]

    def share(self, step: int, part: int, parts: int) -> Share:
        """Return part `part` of `parts` of a step.

        With N the step's target pieces, its loss divisor is N / parts: processes' gradients are averaged and
        accumulated losses are divided by their number, so the parts add up to the mean over the N pieces.
        """
        pairs = self.pairs(step)
        divisor = float(self._target_lengths[pairs].sum()) / parts
        indices = pairs[part::parts]
        return Share(indices, divisor, False) if len(indices) else Share(pairs[:1], divisor, True)


def plan_epoch(
    source_lengths: Lengths, target_lengths: Lengths, *, batch_pieces: int, seed: int, epoch: int
) -> EpochPlan:
    """Plan an epoch; the same arguments give the same plan.

    Args:
        source_lengths: (pairs,): source pieces of each pair, END included.
        target_lengths: (pairs,): target pieces of each pair, END included.
        batch_pieces: target pieces of a step, padding included; a pair longer than that is a step of its own.
        seed: of the run.
        epoch: from 0.
    """
    random = np.random.default_rng([seed, epoch])
    shuffled = random.permutation(len(target_lengths))
    batches: list[Numbers] = []
    for start in range(0, len(shuffled), POOL):
        pool = shuffled[start : start + POOL]
        pool = pool[np.lexsort((source_lengths[pool], target_lengths[pool]))]
        batches.extend(_split(pool, source_lengths[pool], target_lengths[pool], batch_pieces))
    batches = [batches[number] for number in random.permutation(len(batches))]
    ends = np.cumsum([len(batch) for batch in batches], dtype=np.int64)
    return EpochPlan(np.concatenate(batches), ends, target_lengths, epoch)


def _split(pool: Numbers, source_lengths: Lengths, target_lengths: Lengths, budget: int) -> list[Numbers]:
    """Split pairs sorted by target length into batches within the budget."""
    batches = []
    start = 0
    while start < len(pool):
        most = max(1, budget // max(1, int(target_lengths[start])))
        window = slice(start, start + most)
        rows = np.arange(1, len(pool[window]) + 1)
        fits = rows * target_lengths[window] <= budget
        fits &= rows * np.maximum.accumulate(source_lengths[window]) <= SOURCE_BUDGET * budget
        size = max(1, int(np.argmin(fits)) if not fits.all() else len(fits))
        batches.append(pool[start : start + size])
        start += size
    return batches
