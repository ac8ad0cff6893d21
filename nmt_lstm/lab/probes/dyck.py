"""Dyck-1: is a string of brackets of one kind balanced?"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from nmt_lstm.lab.probes.task import Classification, Episode, one_hot

__all__ = ["Dyck"]


class Dyck(Classification):
    """Half of the strings are balanced; of the others, half have one bracket turned and half are balanced but for their order."""

    name = "dyck"
    question = "say whether T brackets are balanced (Dyck-1), which takes a counter"
    source = "Gers and Schmidhuber 2001; Suzgun et al. 2019; Weiss et al. 2018"
    baseline_text = "ln 2: half of the strings are balanced"
    input_size = 2
    output_size = 2
    shortest = 4
    multiple = 2

    def baseline(self, length: int) -> float:
        """Return ln 2: half of the strings are balanced."""
        return math.log(2)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs (B, T, 2), opening brackets as class 1, and targets (B, 1): 1 where balanced."""
        opens = balanced_strings(length, rows, generator)
        kind = torch.randint(0, 4, (rows, 1), generator=generator)
        place = torch.randint(0, length, (rows, 1), generator=generator)
        turned = opens.scatter(1, place, 1 - opens.gather(1, place))
        # Begun at an odd place, a balanced string starts inside a pair: its last part closes what was not opened.
        begin = 2 * torch.randint(0, length // 2, (rows, 1), generator=generator) + 1
        moved = opens.gather(1, (torch.arange(length) + begin) % length)
        shown = torch.where(kind == 0, turned, torch.where(kind == 1, moved, opens))
        return Episode(one_hot(shown, 2), (kind >= 2).long())


def balanced_strings(length: int, rows: int, generator: Generator) -> Tensor:
    """Return (rows, length) with 1 for opening and 0 for closing brackets, all balanced strings equally likely.

    Of the rotations of a string with one opening bracket too many exactly one keeps every prefix in the plus (the
    cycle lemma, Dvoretzky and Motzkin 1947); without its first bracket that one is balanced.
    """
    order = torch.rand(rows, length + 1, generator=generator).argsort(1)
    opens = (order <= length // 2).long()
    depth = (2 * opens - 1).cumsum(1)
    # The last of the lowest places: everything after it stays above.
    last_lowest = length - depth.flip(1).argmin(1, keepdim=True)
    rotated = opens.gather(1, (torch.arange(length + 1) + last_lowest + 1) % (length + 1))
    return rotated[:, 1:]
