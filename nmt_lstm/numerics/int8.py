"""Products of 8-bit integers: weights scaled per output, inputs per row, so that no row depends on the others."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["int8_is_fast", "int8_product", "quantized"]

LEVELS = 127
# oneDNN's stand-in for products it has no kernel for takes 200 to 10,000 times as long as one in float32.
SLOWEST = 50

logger = logging.getLogger(__name__)


class _Form(NamedTuple):
    """How oneDNN takes the levels -127 to 127 of inputs; the sums are the same in every form."""

    dtype: torch.dtype
    zero: int

    def integers(self, levels: Tensor) -> Tensor:
        """Return whole numbers (float32, changed) in this form."""
        return (levels.add_(self.zero) if self.zero else levels).to(self.dtype)


SIGNED = _Form(torch.int8, 0)  # processors with AMX
UNSIGNED = _Form(torch.uint8, 128)  # processors with VNNI

# integers (R, in), in the form of their product -> float32 (R, out)
_Product = Callable[[Tensor], Tensor]


def quantized(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 values (N, K) and float32 scales (N, 1) with values ~ int8 * scale, symmetric per row.

    Args:
        values: (N, K).
    """
    levels, scale = _levels(values)
    return levels.to(torch.int8), scale


def _levels(values: Tensor) -> tuple[Tensor, Tensor]:
    # Not the largest of the magnitudes, which would be written first.
    largest = torch.maximum(values.amax(1, keepdim=True), values.amin(1, keepdim=True).neg_())
    scale = largest.float().clamp_(min=1e-30) / LEVELS
    return (values / scale).round_(), scale


def int8_product(
    weight: Tensor, scale: Tensor, bias: Tensor | None, *, bounded: bool = False
) -> Callable[[Tensor], Tensor]:
    """Return the function ``inputs @ (weight * scale).T + bias`` of float32 inputs (R, in), computed in integers.

    The inputs are quantised when they come, each row by its largest value, or all by 1 if they are `bounded`.
    Sums of integers are exact, so a row's bits depend neither on the number of rows, from 8 on, nor on that of the
    outputs.

    Args:
        weight: (out, in), int8.
        scale: (out,), float32.
        bias: (out,), float32, or None.
        bounded: promise that no input is outside of -1 and 1; it saves a pass over the outputs.
    """
    form = _fast_form()
    if form is None:
        _say_slow()
    own = bias if bounded else None
    integer_product = _integer_product(weight, scale, own, 1.0 / LEVELS if bounded else 1.0, form)
    form = form or SIGNED

    def product(inputs: Tensor) -> Tensor:
        if bounded:
            levels = (inputs * LEVELS).round_().clamp_(-LEVELS, LEVELS)
            return integer_product(form.integers(levels))
        levels, row_scale = _levels(inputs)
        outputs = integer_product(form.integers(levels))
        return outputs.mul_(row_scale) if bias is None else torch.addcmul(bias, outputs, row_scale)

    return product


def int8_is_fast() -> bool:
    """Whether oneDNN's products of int8 are there, answer correctly and have a kernel for this processor."""
    return _fast_form() is not None


def _integer_product(
    weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float, form: _Form | None
) -> _Product:
    if form is None:
        return _in_float32(weight, scale, bias, input_scale)
    return _onednn(weight, scale, bias, input_scale, form)


def _onednn(weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float, form: _Form) -> _Product:
    # Not documented, but what torch's own compiler emits for int8; `_fast_form` tries it before any use.
    zeros = torch.zeros(len(scale), dtype=torch.int32)
    layout = torch.ops.onednn.qlinear_prepack(weight, [64, weight.shape[1]])

    def product(integers: Tensor) -> Tensor:
        result: Tensor = torch.ops.onednn.qlinear_pointwise(
            integers,
            input_scale,
            form.zero,
            layout,
            scale,
            zeros,
            bias,
            1.0,
            0,
            torch.float32,
            "none",
            [],
            "",
        )
        return result

    return product


def _in_float32(weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float) -> _Product:
    """The same arithmetic without integer instructions: slow, the sums exact up to 2**24."""
    transposed = weight.float().t()
    factors = scale * input_scale

    def product(integers: Tensor) -> Tensor:
        outputs = (integers.float() @ transposed).mul_(factors)
        return outputs if bias is None else outputs.add_(bias)

    return product


@functools.cache
def _fast_form() -> _Form | None:
    """Return the form of inputs in which oneDNN answers correctly, also at the ends of the range, and soon."""
    if not torch.backends.mkldnn.is_available():
        return None
    generator = torch.Generator().manual_seed(0)
    levels = torch.randint(-LEVELS, LEVELS + 1, (16, 256), generator=generator).float()
    weight = torch.randint(-LEVELS, LEVELS + 1, (48, 256), generator=generator, dtype=torch.int8)
    # Processors without VNNI may saturate 16-bit sums of pairs; these rows would show it.
    levels[0], weight[0] = LEVELS, LEVELS
    levels[1], weight[1] = -LEVELS, LEVELS
    scale = torch.rand(48, generator=generator) + 0.5
    slow = _in_float32(weight, scale, None, 1.0)
    expected, limit = slow(levels), SLOWEST * _shortest(slow, levels)
    for form in (SIGNED, UNSIGNED):
        integers = form.integers(levels.clone())
        try:
            product = _onednn(weight, scale, None, 1.0, form)
            right = torch.allclose(product(integers), expected, rtol=1e-5)
        except (AttributeError, NotImplementedError, RuntimeError, TypeError):
            continue
        if right and _shortest(product, integers) <= limit:
            return form
    return None


def _shortest(product: _Product, integers: Tensor) -> float:
    """Return seconds on one thread: several would wait for each other where a core is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = []
    try:
        for _ in range(3):
            start = time.perf_counter()
            product(integers)
            found.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return min(found)


@functools.cache
def _say_slow() -> None:
    logger.warning(
        "this PyTorch or processor has no fast products of int8; they are computed in float32, with the same results "
        "but slowly. --precision float32 is faster here."
    )
