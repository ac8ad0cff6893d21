"""Parity: is the number of ones so far even or odd?"""

from __future__ import annotations

import math

import torch
from torch import Generator

from nmt_lstm.lab.probes.task import Classification, Episode, one_hot

__all__ = ["Parity"]


class Parity(Classification):
    """T random bits; from the second on, each position answers with the parity of all bits so far."""

    name = "parity"
    question = "say after each of T bits whether the number of ones so far is odd"
    source = (
        "Minsky and Papert 1969; for recurrent networks Hochreiter and Schmidhuber 1997, Delétang et al. 2023"
    )
    baseline_text = "ln 2: guessing"
    input_size = 2
    output_size = 2

    def baseline(self, length: int) -> float:
        """Return ln 2: to who has missed any bit both answers are equally likely."""
        return math.log(2)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs (B, T, 2) and targets (B, T-1)."""
        bits = torch.randint(0, 2, (rows, length), generator=generator)
        return Episode(one_hot(bits, 2), bits.cumsum(1)[:, 1:] % 2)
