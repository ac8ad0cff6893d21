"""The positive function that may be applied to candidates of the minimal cells."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["positive_part"]


def positive_part(values: Tensor) -> Tensor:
    """Return v + 0.5 for v >= 0, else sigmoid(v) (any shape): positive, increasing and continuous (Feng et al. 2024)."""
    return torch.where(values >= 0, values + 0.5, torch.sigmoid(values))
