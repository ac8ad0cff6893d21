"""How fast this processor multiplies in each precision, measured in a fraction of a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from nmt_lstm.numerics.bf16_trial import bf16_works
from nmt_lstm.numerics.int8 import int8_product, quantized
from nmt_lstm.numerics.linear import repeated_linear
from nmt_lstm.numerics.threads import one_thread

__all__ = ["PRODUCT", "Speeds", "measured_speeds"]

PRODUCT = (64, 512, 2048)
"""Rows, inputs and outputs of the product that is measured: a beam search's step of an LSTM of width 512."""

SECONDS = 0.05
REPETITIONS = 20


class Speeds(NamedTuple):
    """Speeds of one thread of the processor."""

    float32: float
    """Operations per second."""
    bf16: float | None
    """Multiple of the float32 speed; None where the processor does not compute in bf16."""
    int8: float
    """Multiple of the float32 speed, the time to quantise the inputs included."""


def measured_speeds() -> Speeds:
    """Measure the products of inference layers, on one thread and for about a twentieth of a second each."""
    rows, width, outputs = PRODUCT
    weight, inputs = _numbers(outputs, width), _numbers(rows, width)
    with torch.inference_mode(), torch.autocast("cpu", enabled=False), one_thread():
        float32 = _seconds(repeated_linear(weight, rows=rows, times=REPETITIONS), inputs)
        bf16 = None
        if bf16_works():
            product = repeated_linear(weight.bfloat16(), rows=rows, times=REPETITIONS)
            bf16 = float32 / _seconds(product, inputs.bfloat16())
        levels, scale = quantized(weight)
        int8 = float32 / _seconds(int8_product(levels, scale[:, 0], None), inputs)
    return Speeds(2.0 * rows * width * outputs / float32, bf16, int8)


def _numbers(*shape: int) -> Tensor:
    count = torch.Size(shape).numel()
    return torch.arange(count, dtype=torch.float32, device="cpu").mul_(0.7).sin_().view(shape)


def _seconds(product: Callable[[Tensor], Tensor], inputs: Tensor) -> float:
    """Return the shortest time of several calls, without the first one, which makes the kernels."""
    product(inputs)
    times: list[float] = []
    while not times or (sum(times) < SECONDS and len(times) < REPETITIONS):
        start = time.perf_counter()
        product(inputs)
        times.append(time.perf_counter() - start)
    return min(times)
