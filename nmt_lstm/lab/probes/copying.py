"""The copy task: ten symbols, a long pause, then the same symbols from memory."""

from __future__ import annotations

import math

import torch
from torch import Generator

from nmt_lstm.lab.probes.task import Classification, Episode, one_hot

__all__ = ["Copying"]

_SYMBOLS, _KEPT = 8, 10
_BLANK, _DELIMITER = 8, 9


class Copying(Classification):
    """Ten symbols of eight, T - 1 blanks, a delimiter, ten blanks; blanks are the answer until the delimiter has come."""

    name = "copy"
    question = "repeat ten symbols after a pause"
    source = "Hochreiter and Schmidhuber 1997; in this form Arjovsky et al. 2016"
    baseline_text = "10 ln 8 / (T + 20): blanks in their places, symbols guessed"
    unit = "nats per position"
    input_size = 10
    output_size = 9

    def baseline(self, length: int) -> float:
        """Return the loss of blanks in their places and symbols guessed, over all T + 20 positions."""
        return _KEPT * math.log(_SYMBOLS) / (length + 2 * _KEPT)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs (B, T+20, 10) and targets (B, T+20)."""
        kept = torch.randint(0, _SYMBOLS, (rows, _KEPT), generator=generator)
        blanks = torch.full((rows, length + _KEPT), _BLANK)
        shown = torch.cat([kept, blanks], 1)
        shown[:, _KEPT + length - 1] = _DELIMITER
        return Episode(one_hot(shown, self.input_size), torch.cat([blanks, kept], 1))
