"""The logarithm of the logistic function."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["log_sigmoid"]


def log_sigmoid(values: Tensor) -> Tensor:
    """Return log(sigmoid(v)), finite for all v, with the same bits at any place of any tensor."""
    size = values.abs()
    return 0.5 * (values - size) - torch.log1p(torch.exp(-size))
