"""How fast this machine multiplies in each precision, measured in a fraction of a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from nmt_lstm.numerics.bf16_trial import bf16_works
from nmt_lstm.numerics.int8 import int8_product, quantized
from nmt_lstm.numerics.packed import repeated_product

__all__ = ["PRODUCT", "Speeds", "measured_speeds"]

PRODUCT = (64, 512, 2048)
"""Rows, inputs and outputs of what is measured: a step of an LSTM of 512 for a beam."""

SECONDS = 0.05
REPETITIONS = 20


class Speeds(NamedTuple):
    """Of one thread of the processor."""

    float32: float
    """Operations in a second."""
    bf16: float | None
    """As a multiple of float32's; None where the processor does not compute in bf16."""
    int8: float
    """The same, the inputs quantised in the time that counts."""


def measured_speeds() -> Speeds:
    """Measure the products of a frozen layer, on one thread and for at most a fifth of a second each."""
    rows, inputs, outputs = PRODUCT
    weight, given = _numbers(outputs, inputs), _numbers(rows, inputs)
    with torch.inference_mode(), torch.autocast("cpu", enabled=False), _one_thread():
        exact = _seconds(repeated_product(weight, rows=rows, times=REPETITIONS), given)
        half = None
        if bf16_works():
            product = repeated_product(weight.bfloat16(), rows=rows, times=REPETITIONS)
            half = exact / _seconds(product, given.bfloat16())
        integers, scale = quantized(weight)
        whole = exact / _seconds(int8_product(integers, scale[:, 0], None), given)
    return Speeds(2.0 * rows * inputs * outputs / exact, half, whole)


def _numbers(*shape: int) -> Tensor:
    count = torch.Size(shape).numel()
    return torch.arange(count, dtype=torch.float32, device="cpu").mul_(0.7).sin_().view(shape)


def _seconds(product: Callable[[Tensor], Tensor], given: Tensor) -> float:
    """Return the shortest time of several, the first one, in which kernels are made, left out."""
    product(given)
    found: list[float] = []
    while not found or (sum(found) < SECONDS and len(found) < REPETITIONS):
        start = time.perf_counter()
        product(given)
        found.append(time.perf_counter() - start)
    return min(found)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
