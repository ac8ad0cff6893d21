"""The pairs of each step: batches of similar lengths within a budget of pieces, the same on any number of devices.

A step's global batch is planned first and then split among processes and accumulated batches, so that the optimisation
does not depend on their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EpochPlan", "Share", "compact", "plan_epoch"]

Indices = NDArray[np.int64]
Lengths = NDArray[np.integer[Any]]

# Pairs sorted by length together: enough for nearly equal lengths in a batch, few enough for random batches.
POOL = 1 << 18
# The source side may take this many times the budget of the target side.
SOURCE_BUDGET = 2.0


@dataclass(frozen=True)
class Share:
    """The pairs of a step that one process computes in one batch."""

    indices: Indices
    """(B,): indices of the pairs."""
    loss_divisor: float
    """Divisor of its summed loss: see `EpochPlan.share`."""
    masked: bool
    """True if the step has fewer pairs than shares: this one then repeats a pair, which must not be learnt from."""


class EpochPlan:
    """The steps of one epoch.

    Args:
        order: (pairs,): indices of the pairs, those of a step one after the other.
        starts: (steps,): index in `order` at which each step starts.
        ends: (steps,): index in `order` at which each step ends.
        target_lengths: (pairs,): target pieces of each pair, END included.
        epoch: number of the epoch, from 0.
    """

    def __init__(
        self,
        order: NDArray[np.integer[Any]],
        starts: Indices,
        ends: Indices,
        target_lengths: Lengths,
        epoch: int = 0,
    ) -> None:
        self.epoch = epoch
        self._order = order
        self._starts = starts
        self._ends = ends
        self._target_lengths = target_lengths

    def __len__(self) -> int:
        return len(self._ends)

    def pairs(self, step: int) -> Indices:
        """Return the indices of a step's pairs."""
        return self._order[self._starts[step] : self._ends[step]].astype(np.int64)

    def share(self, step: int, number: int, count: int) -> Share:
        """Return share `number` of `count` of a step.

        If the step has N target pieces, the loss divisor is N / count. Gradients are averaged over processes, and
        accumulated losses are divided by their number, so the shares add up to the mean over the N pieces.
        """
        pairs = self.pairs(step)
        divisor = float(self._target_lengths[pairs].sum()) / count
        indices = pairs[number::count]
        return Share(indices, divisor, False) if len(indices) else Share(pairs[:1], divisor, True)


def plan_epoch(
    source_lengths: Lengths,
    target_lengths: Lengths,
    *,
    batch_pieces: int,
    seed: int,
    epoch: int,
    pairs: NDArray[np.integer[Any]] | None = None,
) -> EpochPlan:
    """Return the plan of an epoch; the same arguments give the same plan.

    Args:
        source_lengths: (pairs,): source pieces of each pair, END included.
        target_lengths: (pairs,): target pieces of each pair, END included.
        batch_pieces: target pieces per step, padding included; a longer pair is a step of its own.
        seed: of the run.
        epoch: number of the epoch, from 0.
        pairs: indices of the pairs of the epoch, with repetitions; by default all pairs once.
    """
    random = np.random.default_rng([seed, epoch])
    source_lengths, target_lengths = compact(source_lengths), compact(target_lengths)
    # Half the memory for the same order: the draws do not depend on the type.
    kind: type[np.signedinteger[Any]] = (
        np.int32 if len(target_lengths) <= np.iinfo(np.int32).max else np.int64
    )
    order = np.arange(len(target_lengths), dtype=kind) if pairs is None else pairs.astype(kind)
    random.shuffle(order)
    sizes: list[int] = []
    for start in range(0, len(order), POOL):
        pool = order[start : start + POOL]
        pool[:] = pool[np.lexsort((source_lengths[pool], target_lengths[pool]))]
        sizes += _split(source_lengths[pool], target_lengths[pool], batch_pieces)
    bounds = np.cumsum([0, *sizes], dtype=np.int64)
    steps = random.permutation(len(sizes))
    return EpochPlan(order, bounds[steps], bounds[steps + 1], target_lengths, epoch)


def compact(lengths: Lengths) -> Lengths:
    """Return lengths in the smallest type: 16 bits are also sorted several times as fast as 32."""
    return lengths.astype(np.min_scalar_type(int(lengths.max(initial=0))), copy=False)


def _split(source_lengths: Lengths, target_lengths: Lengths, budget: int) -> list[int]:
    """Return the sizes of the largest batches within the budget of pairs sorted by target length."""
    sizes = []
    start = 0
    while start < len(target_lengths):
        # No pair is shorter than the first, so no more than this many fit.
        most = max(1, budget // max(1, int(target_lengths[start])))
        window = slice(start, start + most)
        rows = np.arange(1, len(target_lengths[window]) + 1)
        fits = rows * target_lengths[window] <= budget
        fits &= rows * np.maximum.accumulate(source_lengths[window]) <= SOURCE_BUDGET * budget
        sizes.append(max(1, int(np.argmin(fits)) if not fits.all() else len(fits)))
        start += sizes[-1]
    return sizes
