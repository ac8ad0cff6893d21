"""Limits of the lengths of a batch's translations, and the divisor of their scores."""

from __future__ import annotations

import math

import numpy as np

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.penalties import length_divisor
from nmt_lstm.search.remaining import Integers

__all__ = ["Limits", "TextLimits", "longest_translation"]


def longest_translation(settings: SearchSettings, source_pieces: int) -> int:
    """Return the pieces that the translation of a sentence of `source_pieces` has at most."""
    # Ten more than the ratio: translations of one or two pieces are often several times as long.
    return math.ceil(settings.max_length_ratio * source_pieces) + 10


class Limits:
    """Length limits and score divisor for the sentences of a batch.

    Args:
        settings: of the search.
        source: the sentences.
        forced: (B,) pieces that constraints force in each translation; by default none.
    """

    def __init__(self, settings: SearchSettings, source: SourceBatch, forced: Integers | None = None) -> None:
        self._settings = settings
        pieces = source.lengths.cpu().numpy() - 1  # without END
        longest = [longest_translation(settings, int(count)) for count in pieces]
        self.longest: Integers = np.array(longest, dtype=np.int64) + (0 if forced is None else forced)
        """(B,): maximum number of pieces in a translation."""
        self.shortest: Integers = np.floor(settings.min_length_ratio * pieces).astype(np.int64)
        """(B,): minimum number of pieces in a translation."""

    def divisor(self, length: int) -> float:
        """Return the divisor of a log-probability of `length` pieces, END included."""
        return length_divisor(length, kind=self._settings.length_penalty, alpha=self._settings.alpha)


class TextLimits(Limits):
    """The limits of texts without a source: `search.max_pieces` after the pieces that are forced.

    Args:
        settings: of the search.
        forced: (B,) pieces of each text's prompt.
    """

    def __init__(self, settings: SearchSettings, forced: Integers) -> None:
        self._settings = settings
        self.longest = forced + settings.max_pieces
        self.shortest = np.zeros_like(forced)
