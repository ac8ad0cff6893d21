"""Products in 8-bit integers: weights are scaled per output and inputs per row, so that no row depends on the others."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from nmt_lstm.numerics.int8_fbgemm import FbgemmForm
from nmt_lstm.numerics.onednn import OneDnnForm
from nmt_lstm.numerics.row_counts import padded_rows
from nmt_lstm.numerics.threads import one_thread

__all__ = ["FORMS", "Int8Form", "int8_is_fast", "int8_product", "quantized"]

# Largest level of a weight, in every form.
WEIGHT_LEVELS = 127
# A library's reference code, used where it has no kernel, takes 200 to 10,000 times as long as a float32 product.
SLOWEST = 50

logger = logging.getLogger(__name__)

Product = Callable[[Tensor], Tensor]


class Int8Form(Protocol):
    """One library's way to compute int8 products, for some processors. Its sums are exact."""

    largest_level: int
    """Levels of the inputs are whole numbers from minus this to this."""

    def is_available(self) -> bool:
        """Whether this PyTorch has the library at all; `fast_form` tries whether it is correct and fast."""
        ...

    def product(self, weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float) -> Product:
        """Return the function ``levels @ (weight * scale).T * input_scale + bias``.

        Its levels (R, in) are whole numbers in float32 and may be overwritten; its result (R, out) is float32. A row's
        bits depend neither on the other rows nor on the other outputs.

        Args:
            weight: (out, in), int8.
            scale: (out,), float32.
            bias: (out,), float32, or None.
            input_scale: value that one level of the inputs represents.
        """
        ...


class Float32Form:
    """The same arithmetic without integer instructions: slow, and its sums are exact only up to 2**24."""

    largest_level = 127

    def is_available(self) -> bool:
        """Return True: it needs no library."""
        return True

    def product(self, weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float) -> Product:
        """Return the function of levels (R, in) that `Int8Form` describes."""
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
"""Tried in this order. It is fixed rather than measured, because the form decides the last bits of a translation."""


def quantized(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 levels (N, K) and float32 scales (N, 1) with values ~ levels * scale, symmetric in each row.

    Args:
        values: (N, K).
    """
    levels, scale = _levels(values, WEIGHT_LEVELS)
    return levels.to(torch.int8), scale


def _levels(values: Tensor, largest_level: int) -> tuple[Tensor, Tensor]:
    # Two reductions rather than `values.abs().amax(1)`, which would first write a copy as large as the values.
    largest = torch.maximum(values.amax(1, keepdim=True), values.amin(1, keepdim=True).neg_())
    scale = largest.float().clamp_(min=1e-30) / largest_level
    return (values / scale).round_(), scale


def int8_product(weight: Tensor, scale: Tensor, bias: Tensor | None, *, bounded: bool = False) -> Product:
    """Return the function ``inputs @ (weight * scale).T + bias`` of float32 inputs (R, in), computed in integers.

    Each row of inputs is quantised by its largest magnitude, or by 1 if inputs are `bounded`. Sums of integers are exact,
    so a row's bits depend neither on the number of rows nor on the number of outputs.

    Args:
        weight: (out, in), int8.
        scale: (out,), float32.
        bias: (out,), float32, or None.
        bounded: whether inputs always lie between -1 and 1, which saves a pass over the outputs.
    """
    form = fast_form()
    if form is None:
        _warn_slow()
        form = Float32Form()
    largest = form.largest_level
    # With one scale for all rows the form can add the bias itself; otherwise each row is scaled first.
    input_scale, added = (1.0 / largest, bias) if bounded else (1.0, None)
    integer_product = form.product(weight, scale, added, input_scale)

    def product(inputs: Tensor) -> Tensor:
        if bounded:
            return integer_product((inputs * largest).round_().clamp_(-largest, largest))
        levels, row_scale = _levels(inputs, largest)
        outputs = integer_product(levels)
        return outputs.mul_(row_scale) if bias is None else torch.addcmul(bias, outputs, row_scale)

    return product


def int8_is_fast() -> bool:
    """Whether one of the forms answers correctly and fast on this processor."""
    return fast_form() is not None


@functools.cache
def fast_form() -> Int8Form | None:
    """Return the first form that answers correctly, even at the ends of its range, and fast; None if there is none."""
    generator = torch.Generator().manual_seed(0)
    weight = _random_levels(WEIGHT_LEVELS, 48, generator).to(torch.int8)
    # Processors without VNNI may saturate 16-bit sums of pairs; these rows reveal it.
    weight[0], weight[1] = WEIGHT_LEVELS, -WEIGHT_LEVELS
    scale = 0.5 + _random_levels(4, 48, generator).abs()[:, 0]
    reference = Float32Form().product(weight, scale, None, 1.0)
    limit = SLOWEST * _shortest_time(reference, _random_levels(1, 16, generator))
    for form in FORMS.values():
        largest = form.largest_level
        levels = _random_levels(largest, 16, generator)
        levels[0], levels[1] = largest, -largest
        try:
            if not form.is_available():
                continue
            product = form.product(weight, scale, None, 1.0)
            correct = torch.allclose(product(levels.clone()), reference(levels.clone()), rtol=1e-5)
        except (AttributeError, NotImplementedError, RuntimeError, TypeError):
            continue
        if correct and _shortest_time(product, levels) <= limit:
            return form
    return None


def _random_levels(largest: int, rows: int, generator: torch.Generator) -> Tensor:
    """Return whole numbers from -largest to largest, (rows, 256), float32, whatever the host program's defaults are."""
    size = rows, 256
    return torch.randint(-largest, largest + 1, size, generator=generator, dtype=torch.float32, device="cpu")


def _shortest_time(product: Product, levels: Tensor) -> float:
    """Return the seconds of the fastest of three calls, on one thread."""
    times = []
    with one_thread():
        for _ in range(3):
            copied = levels.clone()  # a form may overwrite its levels
            start = time.perf_counter()
            product(copied)
            times.append(time.perf_counter() - start)
    return min(times)


@functools.cache
def _warn_slow() -> None:
    logger.warning(
        "this PyTorch or processor has no fast int8 products; they are computed slowly in float32, with the same results. "
        "--precision float32 is faster here."
    )
