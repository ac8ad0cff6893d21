"""How long the translations of a batch may be, how scores are divided, and which sentences stay in the batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.numerics.row_counts import rounded_rows
from nmt_lstm.search.penalties import length_divisor

__all__ = ["Booleans", "Integers", "Limits", "Reals", "check_numbers", "places", "staying"]

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Reals = NDArray[np.float64]


class Limits:
    """The limits of a batch's sentences.

    Args:
        settings: of the search.
        source: the sentences.
    """

    def __init__(self, settings: SearchSettings, source: SourceBatch) -> None:
        self._settings = settings
        pieces = source.lengths.cpu().numpy() - 1  # END is no piece of the sentence
        self.longest: Integers = np.ceil(settings.max_length_ratio * pieces).astype(np.int64) + 10
        """(B,) pieces of a translation, at most."""
        self.shortest: Integers = np.floor(settings.min_length_ratio * pieces).astype(np.int64)
        """(B,) pieces of a translation, at least."""

    def divisor(self, length: int) -> float:
        """Return what the log-probability of `length` pieces, END included, is divided by."""
        return length_divisor(length, kind=self._settings.length_penalty, alpha=self._settings.alpha)


def check_numbers(totals: Reals) -> None:
    """Raise ModelFolderError if scores are not numbers."""
    if np.isnan(totals).any():
        raise ModelFolderError(
            "the model's scores are not numbers (NaN): its training diverged or its weights are damaged; "
            "use an earlier checkpoint, or train with a lower learning rate."
        )


def staying(done: Booleans) -> Booleans:
    """Return which sentences of a batch stay in it: those that are not done, and as many others as round their number.

    So the same few numbers of sentences come again and again (see `nmt_lstm.numerics.row_counts`).
    """
    stays = ~done
    count = int(stays.sum())
    if count:
        stays[done.nonzero()[0][: rounded_rows(count, finest=1) - count]] = True
    return stays


def places(present: Integers, sentences: int) -> Integers:
    """Return for each sentence of the whole batch its place among those present, -1 for the others."""
    found = np.full(sentences, -1)
    found[present] = np.arange(len(present))
    return found
