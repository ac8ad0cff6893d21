"""How large the values of a memory are, for scales that are the same in pictures, pages and models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

__all__ = ["Bound", "bound_of"]

WITHIN = 0.99
"""Share of the values that have shades of their own: a few large ones would leave the rest pale."""
MIN_VALUE = 1e-9
"""Bound of values that are all zero."""


@dataclass(frozen=True)
class Bound:
    """Where a scale around zero ends."""

    value: float
    is_exceeded: bool
    """Whether some values lie beyond it."""


def bound_of(tensors: Iterable[Tensor]) -> Bound:
    """Return the bound of values, none of them by default."""
    sizes = np.concatenate([np.zeros(1), *(np.abs(tensor.numpy()).ravel() for tensor in tensors)])
    value = max(float(np.quantile(sizes, WITHIN)), MIN_VALUE)
    return Bound(value, bool(sizes.max() > 1.01 * value))
