"""The product of whole sequences in bf16 on a processor, with the gradients in the order that is fastest there."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.packed import packing_is_available

__all__ = ["sequence_linear", "summed_outer_product", "summed_rows"]

# From here on a product with ones sums rows faster than torch's sum.
MANY_ROWS = 8_192


def sequence_linear(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return what `nmt_lstm.numerics.linear.linear` returns, made for inputs of many rows and training in bf16.

    20,000 rows by 512 x 1536, one core: forward 25 ms where torch's takes 37, the weight's gradient 54 for 65, the
    bias's 7 for 16.

    Args:
        inputs: (..., in).
        weight: (out, in).
        bias: (out,).

    Returns:
        (..., out).
    """
    here = inputs.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    half = here and torch.get_autocast_dtype("cpu") == torch.bfloat16
    if not (half and torch.is_grad_enabled() and packing_is_available(torch.bfloat16)):
        return linear(inputs.contiguous(), weight, bias)
    inputs = inputs.to(torch.bfloat16, memory_format=torch.contiguous_format)
    cast = [tensor.to(torch.bfloat16) for tensor in (weight, bias)]
    result: Tensor = _SequenceLinear.apply(inputs, *cast)  # type: ignore[no-untyped-call]
    return result


class _SequenceLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, weight, bias):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(inputs, weight)
        return torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
            inputs, weight, bias, "none", [], ""
        )

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        inputs, weight = ctx.saved_tensors
        flat = gradient.flatten(0, -2)
        for_inputs = for_weight = for_bias = None
        if ctx.needs_input_grad[0]:
            for_inputs = gradient @ weight
        if ctx.needs_input_grad[1]:
            for_weight = summed_outer_product(flat, inputs.flatten(0, -2))
        if ctx.needs_input_grad[2]:
            for_bias = summed_rows(flat)
        return for_inputs, for_weight, for_bias


def summed_rows(rows: Tensor) -> Tensor:
    """Return the sum of (N, width) over N."""
    if rows.dtype != torch.bfloat16 or len(rows) < MANY_ROWS:
        return rows.sum(0)
    # A single row of ones would take a slower path.
    return (rows.new_ones(16, len(rows)) @ rows)[0]


def summed_outer_product(left: Tensor, right: Tensor) -> Tensor:
    """Return ``left.T @ right`` of (N, a) and (N, b), without gradients: a weight's gradient over N rows."""
    if left.dtype != torch.bfloat16:
        # Through oneDNN float32 is twice as fast as through MKL on AMD processors.
        return linear(left.t(), right.t())
    # A product whose left operand lies the other way is slow; turning the narrower one first is worth while.
    if left.shape[1] <= right.shape[1]:
        return left.t().contiguous() @ right
    return (right.t().contiguous() @ left).t().contiguous()
