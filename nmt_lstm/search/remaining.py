"""Removing finished sentences from a batch during search, a few at a time.

Shapes: B sentences of the batch, P sentences present in a step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.numerics.row_counts import rounded_rows

__all__ = ["Booleans", "Integers", "remaining_sentences", "rows_of_sentences"]

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def remaining_sentences(done: Booleans) -> Booleans:
    """Return which sentences stay in the batch, (P,): those that are not done, and a few that are.

    The latter round the number up to one of few, for which kernels exist already (see `nmt_lstm.numerics.row_counts`);
    their results are ignored.

    Args:
        done: (P,).
    """
    staying = ~done
    count = int(staying.sum())
    if count:
        staying[done.nonzero()[0][: rounded_rows(count, finest=1) - count]] = True
    return staying


def rows_of_sentences(present: Integers, sentences: int) -> Integers:
    """Return for each sentence of the batch its row among those present, (B,); -1 for those that have left.

    Args:
        present: (P,): numbers of the sentences present.
        sentences: number of sentences in the batch, B.
    """
    rows = np.full(sentences, -1)
    rows[present] = np.arange(len(present))
    return rows
