"""Linear products with the machine's fastest library, and with results that do not depend on the batch size."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.numerics import onednn
from nmt_lstm.numerics.processor import is_made_by_intel
from nmt_lstm.numerics.row_counts import padded_columns, padded_rows

__all__ = [
    "check_widths",
    "linear",
    "matmul",
    "matmul_operand",
    "onednn_linear",
    "repeated_linear",
    "sum_of_rows",
    "weight_and_bias_gradients",
]

# MKL's AVX2 kernel takes 6 rows at a time: those left over are rounded differently, and so are large products. A multiple of
# 6 and of the 8 that others take, at which each block is a call of the same shape.
ROWS_OF_A_BLOCK = 24
# From this number on, a product with ones sums rows faster than torch's sum.
MANY_ROWS = 8_192
# Packing a weight costs as much as this many products save.
MIN_PRODUCTS = 4


@functools.cache
def mkl_is_as_fast() -> bool:
    """Whether MKL's float32 product is as fast as oneDNN's, so that training need not compile a kernel for each shape.

    2,000 rows by 512 x 2048 on an Intel processor with AVX-512: 17 ms with either, and 15 ms for oneDNN to make a kernel.
    """
    return torch.backends.mkl.is_available() and is_made_by_intel()


def _torch_linear(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return torch's own product of (N, in), where a row's bits do not depend on N; the result may have extra rows at its end."""
    rows, weight = padded_columns(rows), padded_columns(weight)
    if not torch.backends.mkl.is_available():
        return functional.linear(rows, weight, bias)
    rows = functional.pad(rows, (0, 0, 0, -len(rows) % ROWS_OF_A_BLOCK))
    return torch.cat([functional.linear(block, weight, bias) for block in rows.split(ROWS_OF_A_BLOCK)])


class _OneDnnLinear(torch.autograd.Function):
    """The differentiable product ``inputs @ weight.T + bias`` in float32 or bf16, with oneDNN.

    Rows are padded in all its products: batches differ in their number of rows, and each number would need three kernels.
    """

    @staticmethod
    def forward(ctx, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # type: ignore[no-untyped-def]
        rows = padded_rows(inputs.reshape(-1, inputs.shape[-1]))
        ctx.save_for_backward(rows, weight)
        ctx.shape, ctx.has_bias = inputs.shape, bias is not None
        return _unpadded(onednn.linear(rows, weight, bias), inputs.shape)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        rows, weight = ctx.saved_tensors
        gradients = padded_rows(gradient.reshape(-1, gradient.shape[-1]))
        needs_bias = ctx.has_bias and ctx.needs_input_grad[2]
        for_inputs = for_weight = for_bias = None
        if ctx.needs_input_grad[0]:
            for_inputs = _unpadded(matmul(gradients, weight), ctx.shape)
        if ctx.needs_input_grad[1]:
            for_weight, for_bias = weight_and_bias_gradients(gradients, rows, with_bias=needs_bias)
        elif needs_bias:
            for_bias = sum_of_rows(gradients)
        return for_inputs, for_weight, for_bias


def _unpadded(rows: Tensor, shape: torch.Size) -> Tensor:
    return rows[: shape[:-1].numel()].view(*shape[:-1], rows.shape[1])


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``inputs @ weight.T + bias``, differentiable.

    Without gradients a row's result is the same, bit for bit, whatever the number of rows: libraries use a different
    kernel for few rows, so these are padded (see `nmt_lstm.numerics.row_counts`).

    Args:
        inputs: (..., in).
        weight: (out, in).
        bias: (out,), or None.

    Returns:
        (..., out).

    Raises:
        ValueError: the last sizes of inputs and weight differ.
    """
    check_widths(inputs, weight)
    if inputs.device.type != "cpu" or torch.compiler.is_compiling():
        return functional.linear(inputs, weight, bias)
    exact = torch.is_autocast_enabled("cpu") is False and inputs.dtype == weight.dtype == torch.float32
    needs_gradient = _needs_gradient(inputs, weight, bias)
    product = onednn_linear if exact and inputs.numel() and onednn.float32_works() else functional.linear
    if needs_gradient:
        return functional.linear(inputs, weight, bias) if mkl_is_as_fast() else product(inputs, weight, bias)
    if not inputs.numel():
        return product(inputs, weight, bias)
    flat = inputs.reshape(-1, inputs.shape[-1])
    rows = padded_rows(flat)
    if exact and product is functional.linear:
        result = _torch_linear(rows, weight, bias)
    elif len(rows) == len(flat):
        return product(inputs, weight, bias)
    else:
        result = product(rows, weight, bias)
    return result[: len(flat)].reshape(*inputs.shape[:-1], weight.shape[0])


def onednn_linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``inputs @ weight.T + bias`` (..., out), computed with oneDNN; differentiable.

    Args:
        inputs: (..., in), float32 or bf16 like the other two.
        weight: (out, in).
        bias: (out,), or None.
    """
    if not _needs_gradient(inputs, weight, bias):
        return onednn.linear(inputs, weight, bias)
    result: Tensor = _OneDnnLinear.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
    return result


def check_widths(inputs: Tensor, weight: Tensor) -> None:
    """Raise ValueError unless inputs (..., in) fit a weight (out, in); oneDNN's own error does not name the shapes."""
    if inputs.shape[-1] != weight.shape[-1]:
        raise ValueError(
            f"shapes do not fit: inputs {tuple(inputs.shape)} and weight {tuple(weight.shape)} differ in their last size"
        )


def repeated_linear(
    weight: Tensor, bias: Tensor | None = None, *, rows: int, times: int
) -> Callable[[Tensor], Tensor]:
    """Return the function ``inputs @ weight.T + bias``, without gradients, for inputs of `rows` rows.

    If it is called often enough, the weight is put into the library's own layout once instead of at every product. In
    bf16, 100 rows by 512 x 2048, one core: 0.18 ms a product instead of 0.31, for 0.35 ms of packing.

    Args:
        weight: (out, in); must not change while the function is used.
        bias: (out,), or None.
        rows: of the inputs; the layout is chosen for this number.
        times: how often the function will be called.
    """
    if times < MIN_PRODUCTS or weight.device.type != "cpu" or not onednn.packing_works(weight.dtype):
        return lambda inputs: linear(inputs, weight, bias)
    return onednn.packed_linear(weight, bias, rows=rows)


def matmul(left: Tensor, right: Tensor) -> Tensor:
    """Return ``left @ right`` without a gradient, with the library that is fastest in training.

    Args:
        left: (N, K), in any layout.
        right: (K, M), in any layout.

    Returns:
        (N, M).

    Raises:
        ValueError: K differs.
    """
    if left.shape[-1] != right.shape[0]:
        raise ValueError(f"shapes do not fit: {tuple(left.shape)} @ {tuple(right.shape)}")
    exact = left.device.type == "cpu" and left.dtype == torch.float32
    if not exact or mkl_is_as_fast() or not onednn.float32_works():
        return left @ right
    return onednn.linear(left.contiguous(), right.t().contiguous(), None)


def matmul_operand(right: Tensor) -> Tensor:
    """Return `right` (K, M) in the layout in which many calls of `matmul` need not copy it."""
    if right.device.type != "cpu" or right.dtype != torch.float32 or mkl_is_as_fast():
        return right
    return right.t().contiguous().t()


def sum_of_rows(rows: Tensor) -> Tensor:
    """Return the sum of (N, width) over N."""
    if rows.dtype != torch.bfloat16 or len(rows) < MANY_ROWS:
        return rows.sum(0)
    # With a single row of ones the library would choose a slower kernel.
    return (rows.new_ones(16, len(rows)) @ rows)[0]


def weight_and_bias_gradients(
    left: Tensor, right: Tensor, *, with_bias: bool = True
) -> tuple[Tensor, Tensor | None]:
    """Return ``left.T @ right`` and the sum of `left` over its rows: a weight's and a bias's gradient.

    1,920 rows of 2,048 and of 512, one core: 8.1 ms, where product and sum one after the other take 9.0.

    Args:
        left: (N, a), gradients for the product's results.
        right: (N, b), the product's inputs.
        with_bias: compute the sum as well.

    Returns:
        (a, b), and (a,) or None.
    """
    if left.dtype != torch.bfloat16:
        return matmul(left.t(), right), sum_of_rows(left) if with_bias else None
    # A product with a transposed left operand is slow; copying the narrower operand transposed first is cheaper.
    if left.shape[1] <= right.shape[1]:
        return left.t().contiguous() @ right, sum_of_rows(left) if with_bias else None
    # A row of ones below `right`: the same product then sums `left`.
    transposed = right.new_empty(right.shape[1] + 1, len(right))
    transposed[:-1] = right.t()
    transposed[-1] = 1.0
    product = transposed @ left
    return product[:-1].t().contiguous(), product[-1].clone() if with_bias else None


def _needs_gradient(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors if tensor is not None)
