"""FBGEMM's int8 products, for processors that only have AVX2: 7-bit inputs, because sums of two products have 16 bits.

Without VNNI the instruction `vpmaddubsw` multiplies unsigned by signed bytes and adds two neighbours in 16 bits, which
saturates at 32,767. Two products of at most 127 x 127 stay below that, so inputs are -63..63, stored as 1..127, and
sums are exact (Khudia et al. 2021, "FBGEMM", describe the saturation).

PyTorch marks these operators as deprecated; all of them are in this file, and `int8.fast_form` tries them before use.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["FbgemmForm"]

ENGINE = "fbgemm"
ZERO = 64


class FbgemmForm:
    """An `Int8Form` that uses FBGEMM: exact at any number of rows, even one, so no row is padded."""

    largest_level = 63

    def is_available(self) -> bool:
        """Whether this PyTorch was built with FBGEMM and the processor can use it."""
        return ENGINE in torch.backends.quantized.supported_engines

    def product(
        self, weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float
    ) -> Callable[[Tensor], Tensor]:
        """Return the function of levels (R, in) that `Int8Form` describes."""
        packed = _pack(weight, scale * input_scale)

        def multiply(levels: Tensor) -> Tensor:
            outputs: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
                levels, 1.0, ZERO, packed
            )
            # Not FBGEMM's own bias: it uses one instruction in whole vectors and two at their end, which round differently.
            return outputs if bias is None else outputs.add_(bias)

        return multiply


def _pack(weight: Tensor, scale: Tensor) -> object:
    """Return the weights in FBGEMM's layout; the engine that the user chose for quantized modules is restored."""
    before = torch.backends.quantized.engine
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*quantize.*", category=UserWarning)
        torch.backends.quantized.engine = ENGINE
        try:
            zeros = torch.zeros(len(scale), dtype=torch.long)
            per_output = torch._make_per_channel_quantized_tensor(weight, scale.double(), zeros, 0)  # noqa: SLF001
            packed: object = torch.ops.quantized.linear_prepack(per_output, None)
        finally:
            torch.backends.quantized.engine = before
    return packed
