"""What the processes of a training agree on: decisions made of clocks and signals must not differ between them."""

from __future__ import annotations

import torch
import torch.distributed

__all__ = ["agreed", "is_distributed"]


def is_distributed() -> bool:
    """Whether this process trains together with others."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def agreed(values: list[float], device: torch.device) -> list[float]:
    """Return the largest that any process gives for each value; all processes must take part."""
    if not is_distributed():
        return values
    seen = torch.tensor(values, dtype=torch.float64, device=device)
    torch.distributed.all_reduce(seen, op=torch.distributed.ReduceOp.MAX)
    return [float(value) for value in seen]
