"""Linear products by the machine's fastest library, with results that do not depend on the batch size."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Linear", "linear"]

# oneDNN's float32 product gives a row the same bits whatever the number of rows, from 2 rows on; MKL's from 5 on.
SMALLEST_INVARIANT_ROWS = 8


@functools.cache
def onednn_product_is_available() -> bool:
    """Whether oneDNN's float32 product answers correctly; it is twice as fast as MKL's on AMD processors."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        inputs, weight = torch.ones(2, 3), torch.ones(4, 3)
        product = _product(inputs, weight, None)
    except (AttributeError, RuntimeError):
        return False
    return bool((product == 3).all())


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # Private, but what torch's own compiler calls; `onednn_product_is_available` tries it before any use.
    product: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")  # noqa: SLF001
    return product


class _OneDnnLinear(torch.autograd.Function):
    """The differentiable float32 product through oneDNN."""

    @staticmethod
    def forward(ctx, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(inputs, weight)
        ctx.has_bias = bias is not None
        return _product(inputs, weight, bias)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        inputs, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        flat = gradient.flatten(0, -2)
        for_inputs = for_weight = for_bias = None
        if ctx.needs_input_grad[0]:
            for_inputs = _product(gradient, weight.t().contiguous(), None)
        if ctx.needs_input_grad[1]:
            for_weight = _product(flat.t().contiguous(), inputs.flatten(0, -2).t().contiguous(), None)
        if ctx.has_bias and ctx.needs_input_grad[2]:
            for_bias = flat.sum(0)
        return for_inputs, for_weight, for_bias


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``inputs @ weight.T + bias``, differentiable.

    Without gradients a row's result is the same, bit for bit, whatever the number of rows: products of few rows
    are padded, since libraries take another path for them.

    Args:
        inputs: (..., in).
        weight: (out, in).
        bias: (out,), or None.

    Returns:
        (..., out).
    """
    if inputs.device.type != "cpu":
        return functional.linear(inputs, weight, bias)
    exact = torch.is_autocast_enabled("cpu") is False and inputs.dtype == weight.dtype == torch.float32
    needs_gradient = _needs_gradient(inputs, weight, bias)
    product = _onednn if exact and inputs.numel() and onednn_product_is_available() else functional.linear
    if needs_gradient:
        return product(inputs, weight, bias)
    rows = inputs.numel() // inputs.shape[-1] if inputs.shape[-1] else 0
    if not 0 < rows < SMALLEST_INVARIANT_ROWS:
        return product(inputs, weight, bias)
    flat = inputs.reshape(rows, inputs.shape[-1])
    padded = functional.pad(flat, (0, 0, 0, SMALLEST_INVARIANT_ROWS - rows))
    return product(padded, weight, bias)[:rows].reshape(*inputs.shape[:-1], weight.shape[0])


def _needs_gradient(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors if tensor is not None)


def _onednn(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if _needs_gradient(inputs, weight, bias):
        result: Tensor = _OneDnnLinear.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
        return result
    return _product(inputs, weight, bias)


class Linear(nn.Linear):
    """`torch.nn.Linear` through `linear`."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Return (..., out_features) of (..., in_features)."""
        return linear(input, self.weight, self.bias)
