"""Linear layers for inference: in any precision, and put into the library's own layout once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from nmt_lstm.numerics import onednn
from nmt_lstm.numerics.int8 import int8_product, quantized
from nmt_lstm.numerics.linear import repeated_linear
from nmt_lstm.numerics.row_counts import padded_rows

__all__ = ["InferenceLinear", "InferencePrecision", "Int8Linear", "PackedLinear", "inference_linear"]

InferencePrecision = Literal["float32", "bf16", "int8"]

# How often a layer for inference is used: so often that packing always pays.
MANY = 1 << 30
# Rows for which oneDNN chooses the layout; results are the same at any number.
TYPICAL_ROWS = 64


class InferenceLinear(nn.Module):
    """Base: ``inputs @ weight.T + bias``, float32 in and out, whatever precision it computes in.

    `forward` packs the weights when it is first called, or `pack` does so before.
    """

    bias: Tensor | None

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self._product: Callable[[Tensor], Tensor] | None = None

    def pack(self) -> None:
        """Put the weights into the library's layout; they must not change afterwards."""
        raise TypeError(f"{type(self).__name__} does not define pack.")

    def selected(self, outputs: Tensor) -> InferenceLinear:
        """Return a packed layer of some outputs (n,) only."""
        raise TypeError(f"{type(self).__name__} does not define selected.")

    def __getstate__(self) -> dict[str, Any]:
        # A packed weight belongs to the library and to this process, so a copy packs its weights again.
        return {**self.__dict__, "_product": None}

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (..., out_features), float32, of inputs (..., in_features)."""
        if self._product is None:
            self.pack()
        assert self._product is not None
        flat = inputs.reshape(-1, self.in_features)
        return self._product(flat).view(*inputs.shape[:-1], self.out_features)


class PackedLinear(InferenceLinear):
    """Products in the format of the weight, float32 or bf16; in float32 for a bf16 weight where oneDNN has no bf16.

    In float32 a row's result is the same, bit for bit, whatever the number of rows, and equals that of `linear`.

    Args:
        weight: (out, in).
        bias: (out,), or None.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight.shape[1], weight.shape[0])
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def pack(self) -> None:
        """Put the weights into oneDNN's layout where it is available."""
        dtype, weight, bias = self.weight.dtype, self.weight, self.bias
        if dtype == torch.bfloat16 and not onednn.packing_works(dtype):
            # torch's own product would take 10 to 20 times as long.
            dtype, weight, bias = torch.float32, weight.float(), None if bias is None else bias.float()
        product = repeated_linear(weight, bias, rows=TYPICAL_ROWS, times=MANY)
        self._product = lambda inputs: product(padded_rows(inputs).to(dtype))[: len(inputs)].float()

    def selected(self, outputs: Tensor) -> InferenceLinear:
        """Return a packed layer of some outputs (n,) only."""
        bias = None if self.bias is None else self.bias.index_select(0, outputs)
        return PackedLinear(self.weight.index_select(0, outputs), bias)


class Int8Linear(InferenceLinear):
    """Products in int8 (see `int8_product`).

    Args:
        weight: (out, in), int8.
        scale: (out,), float32.
        bias: (out,), float32, or None.
        bounded: no input is ever outside of -1 and 1.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None, *, bounded: bool = False) -> None:
        super().__init__(weight.shape[1], weight.shape[0])
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)
        self.bounded = bounded

    def pack(self) -> None:
        """Put the weights into the layout of the library that multiplies them (see `int8.fast_form`)."""
        self._product = int8_product(self.weight, self.scale, self.bias, bounded=self.bounded)

    def selected(self, outputs: Tensor) -> InferenceLinear:
        """Return a packed layer of some outputs (n,) only."""
        weight, scale = self.weight.index_select(0, outputs), self.scale.index_select(0, outputs)
        bias = None if self.bias is None else self.bias.index_select(0, outputs)
        return Int8Linear(weight, scale, bias, bounded=self.bounded)


def inference_linear(
    weight: Tensor, bias: Tensor | None, precision: InferencePrecision, *, bounded: bool = False
) -> InferenceLinear:
    """Return a layer for inference.

    Args:
        weight: (out, in), float32.
        bias: (out,), float32, or None.
        precision: of the products.
        bounded: no input is ever outside of -1 and 1.
    """
    weight = weight.detach()
    bias = None if bias is None else bias.detach()
    if precision == "int8":
        integers, scale = quantized(weight)
        return Int8Linear(integers, scale[:, 0], bias, bounded=bounded)
    if precision == "bf16":
        return PackedLinear(weight.to(torch.bfloat16), None if bias is None else bias.to(torch.bfloat16))
    return PackedLinear(weight, bias)
