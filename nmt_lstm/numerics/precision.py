"""Which number format a device computes in: `auto` resolved, and the autocast region for it."""

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


def resolve_precision(asked: str, device: torch.device | str) -> Precision:
    """Return the precision to compute in.

    Args:
        asked: "auto", "float32", "bf16" or "fp16"; auto is bf16 where the device has it in hardware, else float32.
        device: the device computed on.

    Raises:
        ResourceError: fp16 was asked for without a GPU, or bf16 on a processor that does not compute in it.
    """
    kind = torch.device(device).type
    if asked == "auto":
        return "bf16" if has_fast_bf16(device) else "float32"
    if asked == "fp16":
        if kind != "cuda":
            others = "'bf16', 'float32' or 'auto'" if has_fast_bf16(device) else "'float32' or 'auto'"
            raise ResourceError(
                f"Precision 'fp16' needs a CUDA GPU, but the device is '{kind}'. Use {others}."
            )
        return "fp16"
    if asked != "bf16":
        return "float32"
    if kind == "cpu":
        _check_bf16()
    return "bf16"


def slow_bf16() -> str:
    """Return in some words what is wrong with bf16 on this processor, or ``""`` where it is fast."""
    if has_fast_bf16("cpu"):
        return ""
    # The same words may name a processor that has bf16, and the setting that forbids it.
    processor = ", ".join(part for part in (processor_name(), instruction_limit()) if part)
    how = "only emulates bf16" if bf16_works() else "does not compute in bf16"
    return f"this processor ({processor}) {how}"


def _check_bf16() -> None:
    if not bf16_works():
        raise ResourceError(f"{slow_bf16()}; use float32 or auto, or int8 for translation.")
    if slow := slow_bf16():
        _say_emulated(slow)


@functools.cache
def _say_emulated(slow: str) -> None:
    logger.warning("%s; float32 is faster here.", slow)


def autocast(device: torch.device | str, precision: Precision) -> contextlib.AbstractContextManager[object]:
    """Return the region in which products run in `precision`."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16 if precision == "bf16" else torch.float16)
