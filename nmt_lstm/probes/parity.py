"""Parity: was the number of ones even or odd?"""

from __future__ import annotations

import math

import torch
from torch import Generator

from nmt_lstm.probes.task import Classification, Episode, one_hot

__all__ = ["Parity"]


class Parity(Classification):
    """T random bits; after the last one the parity of their sum is asked for. No bit may be missed."""

    name = "parity"
    question = "say whether the number of ones is odd"
    source = (
        "Minsky and Papert 1969; for recurrent networks Hochreiter and Schmidhuber 1997, Delétang et al. 2023"
    )
    baseline_text = "ln 2: guessing"
    input_size = 2
    output_size = 2

    def baseline(self, length: int) -> float:
        """Return ln 2: without every single bit both answers are equally likely."""
        return math.log(2)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs (B, T, 2) and targets (B, 1)."""
        bits = torch.randint(0, 2, (rows, length), generator=generator)
        return Episode(one_hot(bits, 2), bits.sum(1, keepdim=True) % 2)
