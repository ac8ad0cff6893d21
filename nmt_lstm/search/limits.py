"""How long the translations of a batch may be, and by what their scores are divided for it."""

from __future__ import annotations

import numpy as np

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.penalties import length_divisor
from nmt_lstm.search.remaining import Integers

__all__ = ["Limits"]


class Limits:
    """The limits of a batch's sentences.

    Args:
        settings: of the search.
        source: the sentences.
    """

    def __init__(self, settings: SearchSettings, source: SourceBatch) -> None:
        self._settings = settings
        pieces = source.lengths.cpu().numpy() - 1  # END is no piece of the sentence
        # Ten more than the ratio allows: a translation of one or two pieces may well be several times as long.
        self.longest: Integers = np.ceil(settings.max_length_ratio * pieces).astype(np.int64) + 10
        """(B,) pieces of a translation, at most."""
        self.shortest: Integers = np.floor(settings.min_length_ratio * pieces).astype(np.int64)
        """(B,) pieces of a translation, at least."""

    def divisor(self, length: int) -> float:
        """Return what the log-probability of `length` pieces, END included, is divided by."""
        return length_divisor(length, kind=self._settings.length_penalty, alpha=self._settings.alpha)
