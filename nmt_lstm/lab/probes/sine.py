"""The sine forecast: a wave is shown for a while and shall be continued from memory."""

from __future__ import annotations

import math

import torch
from torch import Generator

from nmt_lstm.lab.probes.task import Episode, Regression

__all__ = ["Sine"]

_SHOWN = 25
_PERIODS = (8.0, 24.0)


class Sine(Regression):
    """25 values of a wave of unknown period (8 to 24 positions) and phase; then T positions without input continue it."""

    name = "sine"
    question = "continue a sine wave T positions beyond what was shown"
    source = "after the sine wave generator of Jaeger 2001"
    baseline_text = "1/2, the variance of the wave: what answering 0 costs"
    input_size = 2

    def baseline(self, length: int) -> float:
        """Return 1/2, the mean square of a sine of random phase."""
        return 0.5

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs (B, 25+T, 2), the value and a mark where it is shown, and targets (B, T)."""
        shortest, longest = _PERIODS
        period = shortest + (longest - shortest) * torch.rand(rows, 1, generator=generator)
        phase = 2 * math.pi * torch.rand(rows, 1, generator=generator)
        wave = torch.sin(2 * math.pi * torch.arange(_SHOWN + length) / period + phase)
        shown = (torch.arange(_SHOWN + length) < _SHOWN).to(torch.float32).expand(rows, -1)
        return Episode(torch.stack([wave * shown, shown], 2), wave[:, _SHOWN:])
