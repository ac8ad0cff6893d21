"""The logarithm of the logistic function."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["log_sigmoid"]


def log_sigmoid(values: Tensor) -> Tensor:
    """Return log(sigmoid(v)) of values (any shape), finite for all v; a value's bits depend only on it."""
    magnitude = values.abs()
    # log sigmoid(v) = min(v, 0) - log(1 + exp(-|v|))
    return 0.5 * (values - magnitude) - torch.log1p(torch.exp(-magnitude))
