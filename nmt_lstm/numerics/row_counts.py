"""Rows and columns padded to few sizes: oneDNN makes a kernel for each number of rows, which can cost more than a product.

On a processor with AMX, a kernel for 1,500 rows in bf16 took 3 to 16 ms to make and 1 to 5 MB of memory; the product
itself took 1 to 4 ms. So the number of rows is rounded up to one of few, and the rows that are added are zeros.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["MIN_INVARIANT_ROWS", "padded_columns", "padded_rows", "rounded_rows"]

COUNTS_PER_DOUBLING = 4
COLUMNS = 8
# From 8 rows on a row's result in float32 is the same, bit for bit, whatever the number of rows: oneDNN's from 2 on,
# MKL's from 5 on, in `padded_columns` and with AVX-512.
MIN_INVARIANT_ROWS = 8


def rounded_rows(rows: int, finest: int = MIN_INVARIANT_ROWS) -> int:
    """Return `rows` rounded up to one of four numbers between a power of two and the next.

    Args:
        rows: how many there are.
        finest: numbers below four times this are multiples of it.
    """
    unit = max(finest, (1 << max(0, rows - 1).bit_length()) // (2 * COUNTS_PER_DOUBLING))
    return rows + -rows % unit


def padded_rows(rows: Tensor) -> Tensor:
    """Return rows (N, width) padded with zeros to the rounded number; unchanged if they have that number or are on a GPU."""
    count = rounded_rows(len(rows))
    if count == len(rows) or rows.device.type != "cpu":
        return rows
    # `functional.pad` would write the rows twice: zeros everywhere first, then the rows over them.
    padded = rows.new_empty(count, rows.shape[1])
    padded[: len(rows)].copy_(rows)
    padded[len(rows) :].zero_()
    return padded


def padded_columns(rows: Tensor) -> Tensor:
    """Return rows (N, width) with columns of zeros up to a multiple of 8.

    On an AMD EPYC, how MKL rounds products of other widths with at most 11 outputs depends on a row's index.
    """
    missing = -rows.shape[1] % COLUMNS
    return functional.pad(rows, (0, missing)) if missing else rows
