"""oneDNN's private operators, all of them in this file; each is tried once and used only where it answers correctly.

They are not documented, but they are what torch's own compiler emits. A release of PyTorch that changes or removes one
makes the trial fail, and the callers then use torch's public products.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from nmt_lstm.numerics.row_counts import padded_rows

__all__ = ["OneDnnForm", "float32_works", "linear", "packed_linear", "packing_works"]


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``inputs @ weight.T + bias`` (N, out), without a gradient.

    Args:
        inputs: (N, in).
        weight: (out, in), as it is or as `packed_linear` lays it out.
        bias: (out,), or None.
    """
    result: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")  # noqa: SLF001
    return result


def packed_linear(weight: Tensor, bias: Tensor | None, *, rows: int) -> Callable[[Tensor], Tensor]:
    """Return the function `linear` of a weight (out, in) that is put into oneDNN's layout once.

    Args:
        weight: (out, in); must not change while the function is used.
        bias: (out,), or None.
        rows: number of rows for which oneDNN chooses the layout; other numbers work as well.
    """
    layout = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)  # noqa: SLF001
    return lambda inputs: linear(inputs, layout, bias)


@functools.cache
def float32_works() -> bool:
    """Whether oneDNN's float32 product answers correctly; it is twice as fast as MKL's on AMD processors."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        weight = torch.ones(4, 3, dtype=torch.float32, device="cpu")
        product = linear(weight[:2], weight, None)
    except (AttributeError, RuntimeError):
        return False
    return bool((product == 3).all())


@functools.cache
def packing_works(dtype: torch.dtype) -> bool:
    """Whether oneDNN packs weights of this type and then answers correctly."""
    if dtype not in (torch.float32, torch.bfloat16) or not torch.backends.mkldnn.is_available():
        return False
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        try:
            inputs = torch.arange(64.0, device="cpu").sub_(32).div_(32).view(4, 16).to(dtype)
            weight = torch.arange(512.0, device="cpu").remainder_(7).sub_(3).div_(3).view(32, 16).to(dtype)
            product = packed_linear(weight, None, rows=4)(inputs)
        except (AttributeError, RuntimeError, NotImplementedError):
            return False
        expected = inputs.float() @ weight.float().t()
        return torch.allclose(product.float(), expected, atol=0.1, rtol=0.1)


class OneDnnForm:
    """An `Int8Form` that uses oneDNN: signed inputs suit AMX, unsigned ones VNNI; `int8.fast_form` tries both.

    From 8 rows on, a row's bits do not depend on the number of rows, so fewer rows are padded.

    Args:
        dtype: of the inputs, int8 or uint8.
        zero: added to the levels so that they fit the type.
    """

    largest_level = 127

    def __init__(self, dtype: torch.dtype, zero: int) -> None:
        self.dtype = dtype
        self.zero = zero

    def is_available(self) -> bool:
        """Whether this PyTorch was built with oneDNN."""
        return bool(torch.backends.mkldnn.is_available())

    def product(
        self, weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float
    ) -> Callable[[Tensor], Tensor]:
        """Return the function of levels (R, in) that `Int8Form` describes."""
        zeros = torch.zeros(len(scale), dtype=torch.int32)
        layout = torch.ops.onednn.qlinear_prepack(weight, [64, weight.shape[1]])

        def multiply(levels: Tensor) -> Tensor:
            rows = padded_rows(levels)
            if self.zero:
                rows = rows.add_(self.zero)
            result: Tensor = torch.ops.onednn.qlinear_pointwise(
                rows.to(self.dtype),
                input_scale,
                self.zero,
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
            return result[: len(levels)]

        return multiply
