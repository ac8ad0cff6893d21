"""The number format in which a device computes: resolving `auto`, and the autocast region for it."""

from __future__ import annotations

import contextlib
import functools
import logging
from typing import Literal

import torch

from nmt_lstm.errors import ResourceError
from nmt_lstm.numerics.bf16_trial import bf16_works
from nmt_lstm.numerics.processor import bf16_instructions, instruction_limit, processor_name

__all__ = ["Precision", "autocast", "has_fast_bf16", "resolve_precision", "slow_bf16"]

Precision = Literal["float32", "bf16", "fp16"]

logger = logging.getLogger(__name__)


def has_fast_bf16(device: torch.device | str) -> bool:
    """Whether the device multiplies bf16 matrices in hardware (AVX512-BF16 or AMX; CUDA capability 8.0)."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.get_device_capability(device)[0] >= 8
    return kind == "cpu" and bool(bf16_instructions()) and bf16_works()


def resolve_precision(precision: str, device: torch.device | str) -> Precision:
    """Return the precision in which to compute.

    Args:
        precision: "auto", "float32", "bf16" or "fp16"; auto is bf16 where the device has it in hardware, else float32.
        device: on which to compute.

    Raises:
        ResourceError: fp16 without a GPU, or bf16 on a processor that does not compute in it.
    """
    kind = torch.device(device).type
    if precision == "auto":
        return "bf16" if has_fast_bf16(device) else "float32"
    if precision == "fp16":
        if kind != "cuda":
            others = "'bf16', 'float32' or 'auto'" if has_fast_bf16(device) else "'float32' or 'auto'"
            raise ResourceError(
                f"precision 'fp16' needs a CUDA GPU, but the device is '{kind}'; use {others}."
            )
        return "fp16"
    if precision != "bf16":
        return "float32"
    if kind == "cpu":
        _check_bf16()
    return "bf16"


def slow_bf16() -> str:
    """Return a clause that says why bf16 is slow on this processor, or ``""`` where it is fast."""
    if has_fast_bf16("cpu"):
        return ""
    # The processor may have bf16, but a setting may forbid it; so both are named.
    processor = ", ".join(filter(None, (processor_name(), instruction_limit())))
    return f"this processor ({processor}) {'only emulates' if bf16_works() else 'does not compute in'} bf16"


def _check_bf16() -> None:
    if not bf16_works():
        raise ResourceError(f"{slow_bf16()}; use float32 or auto, or int8 for translation.")
    if slow := slow_bf16():
        _warn_emulated(slow)


@functools.cache
def _warn_emulated(slow: str) -> None:
    logger.warning("%s; float32 is faster here.", slow)


def autocast(device: torch.device | str, precision: Precision) -> contextlib.AbstractContextManager[object]:
    """Return the region in which products run in `precision`."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16 if precision == "bf16" else torch.float16)
