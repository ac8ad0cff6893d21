"""Which sentences of a batch are still searched: those that are done leave it, a few at a time.

Shapes: B sentences of the whole batch, P those present in a step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.numerics.row_counts import rounded_rows

__all__ = ["Booleans", "Integers", "remaining", "row_numbers"]

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def remaining(done: Booleans) -> Booleans:
    """Return which sentences stay in the batch, (P,): those that are not done, and some that are.

    As many of the latter stay as round the number up, so that the same few numbers of rows come again and again (see
    `nmt_lstm.numerics.row_counts`); what is computed for them is not read.

    Args:
        done: (P,).
    """
    stays = ~done
    count = int(stays.sum())
    if count:
        stays[done.nonzero()[0][: rounded_rows(count, finest=1) - count]] = True
    return stays


def row_numbers(present: Integers, sentences: int) -> Integers:
    """Return for each sentence of the whole batch its row among those present, (B,); -1 for those that have left.

    Args:
        present: (P,), numbers of sentences in the whole batch.
        sentences: B.
    """
    rows = np.full(sentences, -1)
    rows[present] = np.arange(len(present))
    return rows
