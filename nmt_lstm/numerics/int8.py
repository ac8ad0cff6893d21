"""Products of 8-bit integers: weights scaled per output, inputs per row, so that no row depends on the others."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["int8_is_fast", "int8_product", "quantized"]

LEVELS = 127

logger = logging.getLogger(__name__)

# int8 (R, in) -> float32 (R, out)
_Product = Callable[[Tensor], Tensor]


def quantized(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 values (N, K) and float32 scales (N, 1) with values ~ int8 * scale, symmetric per row.

    Args:
        values: (N, K).
    """
    scale = values.abs().amax(1, keepdim=True).float().clamp_(min=1e-30) / LEVELS
    return (values / scale).round_().to(torch.int8), scale


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
    integers = _integer_product(weight, scale, bias if bounded else None, 1.0 / LEVELS if bounded else 1.0)

    def product(inputs: Tensor) -> Tensor:
        if bounded:
            return integers((inputs * LEVELS).round_().clamp_(-LEVELS, LEVELS).to(torch.int8))
        whole, row_scale = quantized(inputs)
        outputs = integers(whole)
        return outputs.mul_(row_scale) if bias is None else torch.addcmul(bias, outputs, row_scale)

    return product


def _integer_product(weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float) -> _Product:
    if int8_is_fast():
        return _onednn(weight, scale, bias, input_scale)
    _say_slow()
    return _in_float32(weight, scale, bias, input_scale)


def _onednn(weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float) -> _Product:
    # Not documented, but what torch's own compiler emits for int8; `int8_is_fast` tries them before any use.
    zeros = torch.zeros(len(scale), dtype=torch.int32)
    layout = torch.ops.onednn.qlinear_prepack(weight, [64, weight.shape[1]])

    def product(integers: Tensor) -> Tensor:
        result: Tensor = torch.ops.onednn.qlinear_pointwise(
            integers, input_scale, 0, layout, scale, zeros, bias, 1.0, 0, torch.float32, "none", [], ""
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
def int8_is_fast() -> bool:
    """Whether oneDNN's products of int8 are there and answer correctly, also at the ends of the range."""
    if not torch.backends.mkldnn.is_available():
        return False
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(-LEVELS, LEVELS + 1, (16, 256), generator=generator, dtype=torch.int8)
    weight = torch.randint(-LEVELS, LEVELS + 1, (48, 256), generator=generator, dtype=torch.int8)
    # Processors without VNNI may saturate 16-bit sums of pairs; these rows would show it.
    inputs[0], weight[0] = LEVELS, LEVELS
    inputs[1], weight[1] = -LEVELS, LEVELS
    scale = torch.rand(48, generator=generator) + 0.5
    try:
        found = _onednn(weight, scale, None, 1.0)(inputs)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return torch.allclose(found, _in_float32(weight, scale, None, 1.0)(inputs), rtol=1e-5)


@functools.cache
def _say_slow() -> None:
    logger.warning(
        "this PyTorch or processor has no fast products of int8; they are computed in float32, with the same results "
        "but slowly. --precision float32 is faster here."
    )
