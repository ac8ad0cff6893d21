"""Linear products by the machine's fastest library, with results that do not depend on the batch size."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.numerics.processor import is_made_by_intel
from nmt_lstm.numerics.row_counts import padded_rows, whole_columns

__all__ = ["check_widths", "laid_out", "linear", "trained_product"]

# MKL's AVX2 kernel takes 6 rows at a time: those left over are rounded differently, and so are large products. A multiple of
# 6 and of the 8 that others take, at which each block is a call of the same shape.
ROWS_OF_A_BLOCK = 24


@functools.cache
def onednn_product_is_available() -> bool:
    """Whether oneDNN's float32 product answers correctly; it is twice as fast as MKL's on AMD processors."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        weight = torch.ones(4, 3, dtype=torch.float32, device="cpu")
        inputs = weight[:2]
        product = _product(inputs, weight, None)
    except (AttributeError, RuntimeError):
        return False
    return bool((product == 3).all())


@functools.cache
def mkl_is_as_fast() -> bool:
    """Whether MKL's float32 product is as fast as oneDNN's, so that training need not make a kernel for each shape.

    2,000 rows by 512 x 2048 on an Intel processor with AVX-512: 17 ms by either, and 15 ms for a kernel of oneDNN's.
    """
    return torch.backends.mkl.is_available() and is_made_by_intel()


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # Private, but what torch's own compiler calls; `onednn_product_is_available` tries it before any use.
    product: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")  # noqa: SLF001
    return product


def _by_torch(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return torch's own product of (N, in), where a row's bits do not depend on N; rows may be added at the end."""
    rows, weight = whole_columns(rows), whole_columns(weight)
    if not torch.backends.mkl.is_available():
        return functional.linear(rows, weight, bias)
    rows = functional.pad(rows, (0, 0, 0, -len(rows) % ROWS_OF_A_BLOCK))
    return torch.cat([functional.linear(block, weight, bias) for block in rows.split(ROWS_OF_A_BLOCK)])


class _OneDnnLinear(torch.autograd.Function):
    """The differentiable float32 product through oneDNN.

    All its products are of padded rows: batches differ in their number of rows, and each number would need three kernels.
    """

    @staticmethod
    def forward(ctx, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # type: ignore[no-untyped-def]
        rows = padded_rows(inputs.reshape(-1, inputs.shape[-1]))
        ctx.save_for_backward(rows, weight)
        ctx.shape, ctx.has_bias = inputs.shape, bias is not None
        return _unpadded(_product(rows, weight, bias), inputs.shape)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        rows, weight = ctx.saved_tensors
        gradients = padded_rows(gradient.reshape(-1, gradient.shape[-1]).contiguous())
        for_inputs = for_weight = for_bias = None
        if ctx.needs_input_grad[0]:
            for_inputs = _unpadded(_product(gradients, weight.t().contiguous(), None), ctx.shape)
        if ctx.needs_input_grad[1]:
            for_weight = _product(gradients.t().contiguous(), rows.t().contiguous(), None)
        if ctx.has_bias and ctx.needs_input_grad[2]:
            for_bias = gradients.sum(0)
        return for_inputs, for_weight, for_bias


def _unpadded(rows: Tensor, shape: torch.Size) -> Tensor:
    return rows[: shape[:-1].numel()].view(*shape[:-1], rows.shape[1])


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``inputs @ weight.T + bias``, differentiable.

    Without gradients a row's result is the same, bit for bit, whatever the number of rows: libraries take another
    path for few, so these are padded (see `nmt_lstm.numerics.row_counts`).

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
    product = _onednn if exact and inputs.numel() and onednn_product_is_available() else functional.linear
    if needs_gradient:
        return functional.linear(inputs, weight, bias) if mkl_is_as_fast() else product(inputs, weight, bias)
    if not inputs.numel():
        return product(inputs, weight, bias)
    flat = inputs.reshape(-1, inputs.shape[-1])
    rows = padded_rows(flat)
    if exact and product is functional.linear:
        result = _by_torch(rows, weight, bias)
    elif len(rows) == len(flat):
        return product(inputs, weight, bias)
    else:
        result = product(rows, weight, bias)
    return result[: len(flat)].reshape(*inputs.shape[:-1], weight.shape[0])


def check_widths(inputs: Tensor, weight: Tensor) -> None:
    """Raise ValueError unless inputs (..., in) fit a weight (out, in): oneDNN's own error names no shapes."""
    if inputs.shape[-1] != weight.shape[-1]:
        raise ValueError(
            f"shapes do not fit: inputs {tuple(inputs.shape)} and weight {tuple(weight.shape)} differ in their last size"
        )


def trained_product(left: Tensor, right: Tensor) -> Tensor:
    """Return ``left @ right`` without a gradient, by the library that is fastest in training.

    Args:
        left: (N, K), in any layout.
        right: (K, M), in any layout.

    Raises:
        ValueError: K differs.
    """
    if left.shape[-1] != right.shape[0]:
        raise ValueError(f"shapes do not fit: {tuple(left.shape)} @ {tuple(right.shape)}")
    exact = left.device.type == "cpu" and left.dtype == torch.float32
    if not exact or mkl_is_as_fast() or not onednn_product_is_available():
        return left @ right
    return _product(left.contiguous(), right.t().contiguous(), None)


def laid_out(right: Tensor) -> Tensor:
    """Return a right operand of many `trained_product`, so that none of them must copy it."""
    if right.device.type != "cpu" or right.dtype != torch.float32 or mkl_is_as_fast():
        return right
    return right.t().contiguous().t()


def _needs_gradient(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors if tensor is not None)


def _onednn(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if _needs_gradient(inputs, weight, bias):
        result: Tensor = _OneDnnLinear.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
        return result
    return _product(inputs, weight, bias)
