"""Random choices that are the same on every Python version, and a record of what was combined."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Chooser"]

Item = TypeVar("Item")


class Chooser:
    """Draws from sequences with ``random.random()`` alone, the one method whose values Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.combinations: set[tuple[str, str]] = set()

    def of(self, items: Sequence[Item]) -> Item:
        """One of `items`, all equally likely."""
        return items[int(self._random.random() * len(items))]

    def weighted(self, items: Sequence[tuple[float, Item]]) -> Item:
        """One of the second members, as likely as the first members say."""
        mark = self._random.random() * sum(weight for weight, _ in items)
        for weight, item in items:
            mark -= weight
            if mark < 0:
                return item
        return items[-1][1]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random.random() < probability

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """The items in random order."""
        keyed = [(self._random.random(), place, item) for place, item in enumerate(items)]
        return [item for _, _, item in sorted(keyed, key=lambda entry: entry[:2])]

    def combine(self, verb: str, noun: str) -> None:
        """Remember that the sentence being made uses `verb` with the object `noun`."""
        self.combinations.add((verb, noun))
