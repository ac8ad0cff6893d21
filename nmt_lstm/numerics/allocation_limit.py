"""A limit on the tensors that a block of code creates, checked before their memory is allocated."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["AllocationLimit", "LimitExceededError"]

# PyTorch's functions that create a tensor from its size alone; layers and their initialisation call them.
_CREATE = {torch.empty, torch.rand, torch.randn, torch.zeros, torch.ones, torch.full}


class LimitExceededError(Exception):
    """The block would have created more numbers than it may.

    Args:
        numbers: how many.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__(f"{numbers:,} numbers are above the limit")
        self.numbers = numbers


class AllocationLimit(TorchFunctionMode):
    """Within this context, the tensors that PyTorch's functions create from a size have at most `limit` elements in all.

    Tensors that are computed from others are not counted. Building on the device "meta", or a `TorchDispatchMode`, would
    count everything, but their first use imports 800 modules and takes most of a second.

    Args:
        limit: elements of all new tensors together.

    Raises:
        LimitExceededError: in the block, before the tensor that exceeds the limit is allocated.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self._numbers = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Add the size of a new tensor; it is a sequence, or the leading arguments."""
        if func in _CREATE:
            size = (kwargs or {}).get(
                "size", args[0] if args and isinstance(args[0], (tuple, list)) else args
            )
            self._numbers += math.prod(number for number in size if isinstance(number, int))
            if self._numbers > self._limit:
                raise LimitExceededError(self._numbers)
        return func(*args, **(kwargs or {}))
