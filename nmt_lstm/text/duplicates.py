"""Finding pairs that occurred before, in 18 bytes of memory for each pair."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["SeenPairs", "digests_of"]

Digests = NDArray[np.void]

# Of 96 bits: with a billion pairs, the probability that any two different ones are taken for duplicates is below 1e-11.
DIGEST = np.dtype([("high", "<u8"), ("low", "<u4")])
# Slots for each pair; with fewer, searches for a free slot become long.
SLOTS_PER_PAIR = 1.5
MIN_SLOTS = 1 << 10


def digests_of(pairs: Sequence[tuple[str, str]]) -> Digests:
    """Return digests of pairs, (pairs,), which are equal for equal pairs only."""
    digests = (
        hashlib.blake2b(f"{source}\n{target}".encode(), digest_size=DIGEST.itemsize).digest()
        for source, target in pairs
    )
    return np.frombuffer(b"".join(digests), DIGEST)


class SeenPairs:
    """A set of digests: a hash table with open addressing in two arrays, searched for many digests at once.

    A Python set would need more than 100 bytes for each.

    Args:
        expected: number of digests; more are accepted, but the table then has to be copied.
    """

    def __init__(self, expected: int = 0) -> None:
        self._count = 0
        self._make_table(expected)

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return self._high.nbytes + self._low.nbytes

    def add(self, digests: Digests) -> NDArray[np.bool_]:
        """Add digests, and return which of them are new, (digests,): neither added before nor earlier in the array."""
        _, firsts = np.unique(digests, return_index=True)
        if (self._count + len(firsts)) * SLOTS_PER_PAIR > len(self._high):
            self._grow(2 * (self._count + len(firsts)))
        is_new = np.zeros(len(digests), np.bool_)
        is_new[firsts] = self._insert(*_parts(digests[firsts]))
        return is_new

    def _make_table(self, expected: int) -> None:
        slots = max(MIN_SLOTS, int(SLOTS_PER_PAIR * expected) + 1)
        # Zeros are not in memory before they are used. A slot whose high part is zero is free.
        self._high = np.zeros(slots, np.uint64)
        self._low = np.zeros(slots, np.uint32)

    def _grow(self, expected: int) -> None:
        used = self._high != 0
        high, low = self._high[used], self._low[used]
        self._make_table(expected)
        self._count = 0
        self._insert(high, low)

    def _insert(self, high: NDArray[np.uint64], low: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Insert digests that are all different; return which were not in the table."""
        is_new = np.zeros(len(high), np.bool_)
        slots = (high % np.uint64(len(self._high))).astype(np.int64)
        waiting = np.arange(len(high))
        while len(waiting):
            at = slots[waiting]
            free = np.flatnonzero(self._high[at] == 0)
            # Of several digests that want the same free slot, the first one gets it.
            _, winners = np.unique(at[free], return_index=True)
            winners = free[winners]
            inserted = waiting[winners]
            self._high[at[winners]], self._low[at[winners]] = high[inserted], low[inserted]
            is_new[inserted] = True
            found = (self._high[at] == high[waiting]) & (self._low[at] == low[waiting])
            waiting = waiting[~found]
            slots[waiting] = (slots[waiting] + 1) % len(self._high)
        self._count += int(is_new.sum())
        return is_new


def _parts(digests: Digests) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Return the two parts of digests; the first one is never zero, which marks a free slot."""
    return np.maximum(digests["high"], np.uint64(1)), np.ascontiguousarray(digests["low"])
