"""The small products of attention, one for each sentence; on a processor never in fewer bits than float32.

oneDNN, which computes bf16, makes a kernel for each number of sentences, queries and source positions. That takes 1 ms
and 0.7 MB, more time than the product itself. MKL's float32 needs no kernels.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["batched_operand", "batched_product"]


def batched_product(left: Tensor, right: Tensor) -> Tensor:
    """Return ``left @ right`` for each sentence; float32 on a processor even where autocast would use bf16.

    Args:
        left: (B, N, K).
        right: (B, K, M).

    Returns:
        (B, N, M).
    """
    right = batched_operand(right)
    with torch.autocast("cpu", enabled=False):
        return torch.bmm(left.to(right.dtype), right)


def batched_operand(tensor: Tensor) -> Tensor:
    """Return a tensor (B, K, M) in the format of `batched_product`, so that no step has to convert it."""
    if tensor.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
        return tensor
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
