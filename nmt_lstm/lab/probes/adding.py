"""The adding problem: two marked numbers, far apart, shall be added."""

from __future__ import annotations

import torch
from torch import Generator

from nmt_lstm.lab.probes.task import Episode, Regression

__all__ = ["Adding"]


class Adding(Regression):
    """Each position holds a number drawn from [0, 1) and a mark; one number of each half of the sequence is marked."""

    name = "adding"
    question = "add the two marked numbers of a sequence, one in each half"
    source = "Hochreiter and Schmidhuber 1997, section 5.4; with one mark in each half Arjovsky et al. 2016"
    baseline_text = "1/6, the variance of the sum: what answering 1 costs"
    input_size = 2

    def baseline(self, length: int) -> float:
        """Return 1/6, the variance of a sum of two independent numbers of [0, 1)."""
        return 1 / 6

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs (B, T, 2) and targets (B, 1)."""
        half = length // 2
        values = torch.rand(rows, length, generator=generator)
        first = torch.randint(0, half, (rows, 1), generator=generator)
        second = torch.randint(half, length, (rows, 1), generator=generator)
        marks = torch.zeros(rows, length).scatter_(1, first, 1.0).scatter_(1, second, 1.0)
        return Episode(torch.stack([values, marks], 2), (values * marks).sum(1, keepdim=True))
