"""Products of 8-bit integers: weights scaled per output, inputs per row, so that no row depends on the others."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from nmt_lstm.numerics.int8_fbgemm import FbgemmForm
from nmt_lstm.numerics.int8_onednn import OneDnnForm
from nmt_lstm.numerics.row_counts import padded_rows

__all__ = ["FORMS", "Int8Form", "int8_is_fast", "int8_product", "quantized"]

# Of weights, in every form.
WEIGHT_LEVELS = 127
# A library's reference code, used where it has no kernel, takes 200 to 10,000 times as long as a float32 product.
SLOWEST = 50

logger = logging.getLogger(__name__)

Product = Callable[[Tensor], Tensor]


class Int8Form(Protocol):
    """One way to compute products of int8, by one library, for some processors. Its sums are exact."""

    largest_level: int
    """Inputs are whole numbers from minus this to this."""

    def is_available(self) -> bool:
        """Whether this PyTorch has the library at all; whether it is right and fast is tried."""
        ...

    def product(self, weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float) -> Product:
        """Return the function ``levels @ (weight * scale).T * input_scale + bias``.

        Its levels (R, in) are whole numbers in float32 and may be overwritten; its result (R, out) is float32. A row's
        bits depend neither on the other rows nor on the other outputs.

        Args:
            weight: (out, in), int8.
            scale: (out,), float32.
            bias: (out,), float32, or None.
            input_scale: what a level stands for.
        """
        ...


class Float32Form:
    """The same arithmetic without integer instructions: slow, the sums exact up to 2**24."""

    largest_level = 127

    def is_available(self) -> bool:
        """Return True: it needs nothing."""
        return True

    def product(self, weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float) -> Product:
        """Return the function of levels that `Int8Form` describes."""
        transposed = weight.float().t()
        factors = scale * input_scale

        def multiply(levels: Tensor) -> Tensor:
            outputs = (padded_rows(levels) @ transposed)[: len(levels)].mul_(factors)
            return outputs if bias is None else outputs.add_(bias)

        return multiply


FORMS: dict[str, Int8Form] = {
    "oneDNN, signed inputs (AMX)": OneDnnForm(torch.int8, 0),
    "oneDNN, unsigned inputs (VNNI)": OneDnnForm(torch.uint8, 128),
    "FBGEMM, 7-bit inputs (AVX2)": FbgemmForm(),
}
"""Tried in this order. The order is fixed rather than measured: a form decides the last bits of a translation."""


def quantized(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 values (N, K) and float32 scales (N, 1) with values ~ int8 * scale, symmetric per row.

    Args:
        values: (N, K).
    """
    levels, scale = _levels(values, WEIGHT_LEVELS)
    return levels.to(torch.int8), scale


def _levels(values: Tensor, largest_level: int) -> tuple[Tensor, Tensor]:
    # Not the largest of the magnitudes, which would be written first.
    largest = torch.maximum(values.amax(1, keepdim=True), values.amin(1, keepdim=True).neg_())
    scale = largest.float().clamp_(min=1e-30) / largest_level
    return (values / scale).round_(), scale


def int8_product(weight: Tensor, scale: Tensor, bias: Tensor | None, *, bounded: bool = False) -> Product:
    """Return the function ``inputs @ (weight * scale).T + bias`` of float32 inputs (R, in), computed in integers.

    The inputs are quantised when they come, each row by its largest value, or all by 1 if they are `bounded`.
    Sums of integers are exact, so a row's bits depend neither on the number of rows nor on that of the outputs.

    Args:
        weight: (out, in), int8.
        scale: (out,), float32.
        bias: (out,), float32, or None.
        bounded: promise that no input is outside of -1 and 1; it saves a pass over the outputs.
    """
    form = fast_form()
    if form is None:
        _say_slow()
        form = Float32Form()
    largest = form.largest_level
    own = bias if bounded else None
    integer_product = form.product(weight, scale, own, 1.0 / largest if bounded else 1.0)

    def product(inputs: Tensor) -> Tensor:
        if bounded:
            return integer_product((inputs * largest).round_().clamp_(-largest, largest))
        levels, row_scale = _levels(inputs, largest)
        outputs = integer_product(levels)
        return outputs.mul_(row_scale) if bias is None else torch.addcmul(bias, outputs, row_scale)

    return product


def int8_is_fast() -> bool:
    """Whether one of the forms answers correctly and has a kernel for this processor."""
    return fast_form() is not None


@functools.cache
def fast_form() -> Int8Form | None:
    """Return the first form that answers correctly, also at the ends of its range, and soon."""
    generator = torch.Generator().manual_seed(0)
    weight = _drawn_levels(WEIGHT_LEVELS, 48, generator).to(torch.int8)
    # Processors without VNNI may saturate 16-bit sums of pairs; these rows would show it.
    weight[0], weight[1] = WEIGHT_LEVELS, -WEIGHT_LEVELS
    scale = 0.5 + _drawn_levels(4, 48, generator).abs()[:, 0]
    slow = Float32Form().product(weight, scale, None, 1.0)
    limit = SLOWEST * _shortest(slow, _drawn_levels(1, 16, generator))
    for form in FORMS.values():
        largest = form.largest_level
        levels = _drawn_levels(largest, 16, generator)
        levels[0], levels[1] = largest, -largest
        try:
            product = form.product(weight, scale, None, 1.0) if form.is_available() else None
            right = product is not None and torch.allclose(
                product(levels.clone()), slow(levels.clone()), rtol=1e-5
            )
        except (AttributeError, NotImplementedError, RuntimeError, TypeError):
            continue
        if product is not None and right and _shortest(product, levels) <= limit:
            return form
    return None


def _drawn_levels(largest: int, rows: int, generator: torch.Generator) -> Tensor:
    """Return whole numbers from -largest to largest, (rows, 256), float32, whatever the host program's defaults are."""
    size = rows, 256
    return torch.randint(-largest, largest + 1, size, generator=generator, dtype=torch.float32, device="cpu")


def _shortest(product: Product, levels: Tensor) -> float:
    """Return seconds on one thread: several would wait for each other where a core is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = []
    try:
        for _ in range(3):
            own = levels.clone()
            start = time.perf_counter()
            product(own)
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
