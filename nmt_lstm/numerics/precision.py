"""Which number format a device computes in: `auto` resolved, and the autocast region for it."""

from __future__ import annotations

import contextlib
from typing import Literal

import torch

from nmt_lstm.errors import ResourceError

__all__ = ["Precision", "autocast", "has_fast_bf16", "resolve_precision"]

Precision = Literal["float32", "bf16", "fp16"]


def has_fast_bf16(device: torch.device | str) -> bool:
    """Whether the device multiplies bf16 matrices in hardware (AVX512-BF16 or AMX; CUDA capability 8.0)."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.get_device_capability(device)[0] >= 8
    if kind == "cpu":
        # Private, but the only question torch answers about bf16 on a processor; absent means unknown, so no.
        checks = (
            getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        )
        return any(bool(check()) for check in checks if check is not None)
    return False


def resolve_precision(asked: str, device: torch.device | str) -> Precision:
    """Return the precision to compute in.

    Args:
        asked: "auto", "float32", "bf16" or "fp16"; auto is bf16 where the device has it in hardware, else float32.
        device: the device computed on.

    Raises:
        ResourceError: fp16 was asked for without a GPU.
    """
    kind = torch.device(device).type
    if asked == "auto":
        return "bf16" if has_fast_bf16(device) else "float32"
    if asked == "fp16":
        if kind != "cuda":
            raise ResourceError(
                f"Precision 'fp16' needs a CUDA GPU, but the device is '{kind}'. Use 'bf16', 'float32' or 'auto'."
            )
        return "fp16"
    return "bf16" if asked == "bf16" else "float32"


def autocast(device: torch.device | str, precision: Precision) -> contextlib.AbstractContextManager[object]:
    """Return the region in which products run in `precision`."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16 if precision == "bf16" else torch.float16)
