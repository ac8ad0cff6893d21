"""One weight used at every step of a loop under autograd, with ONE product for its gradient at the end.

Shapes: B rows, T steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.numerics.linear import linear, repeated_linear, weight_and_bias_gradients

__all__ = ["RecurrentLinear"]


class RecurrentLinear:
    """The function ``inputs @ weight.T + bias`` for the steps of one sequence.

    A plain weight in a loop of T steps would cost T products for its gradient, each added to the whole weight.

    Args:
        weight: (out, in).
        bias: (out,), or None.
        rows: of the inputs, B.
        times: at most this many calls, T.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, rows: int, times: int) -> None:
        device = weight.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight.dtype
        self._weight = weight.to(dtype)
        self._bias = None if bias is None else bias.to(dtype)
        self._slots: list[Tensor] | None = None
        self._inputs: list[Tensor] = []
        if torch.is_grad_enabled():
            # A slot per step: one graph node, whose backward waits until the gradients of all T products have arrived.
            slots = _StepSlots.apply(self._weight, self._bias, self._inputs, rows, times)  # type: ignore[no-untyped-call]
            self._slots = list(slots)[::-1]
            detached = None if self._bias is None else self._bias.detach()
            self._product = repeated_linear(self._weight.detach(), detached, rows=rows, times=times)
            self._back = repeated_linear(self._weight.detach().t(), rows=rows, times=times)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return (B, out) of (B, in), in the format of products: autocast's where it is enabled, else the weight's."""
        inputs = inputs.to(self._weight.dtype)
        if self._slots is None:
            return linear(inputs, self._weight, self._bias)
        self._inputs.append(inputs.detach())
        result: Tensor = _StepProduct.apply(inputs, self._slots.pop(), self._product, self._back)  # type: ignore[no-untyped-call]
        return result


class _StepProduct(torch.autograd.Function):
    """A product that hands the gradient of its result to the slot of its step, in place of the weight's gradient."""

    @staticmethod
    def forward(ctx, inputs, slot, product, back):  # type: ignore[no-untyped-def]  # noqa: ARG004 - only its gradient matters
        ctx.back = back
        with torch.autocast(inputs.device.type, enabled=False):
            return product(inputs)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        gradient = gradient.contiguous()
        with torch.autocast(gradient.device.type, enabled=False):
            return ctx.back(gradient), gradient, None, None


class _StepSlots(torch.autograd.Function):
    """Slots (B, out), one for each step; their gradients are those of all products' results."""

    @staticmethod
    def forward(ctx, weight, bias, inputs, rows, times):  # type: ignore[no-untyped-def]
        ctx.inputs, ctx.shape, ctx.has_bias = inputs, weight.shape, bias is not None
        ctx.set_materialize_grads(False)
        # Zeros that take no memory, but have the shape of a result.
        return tuple(weight.new_zeros(()).expand(rows, weight.shape[0]) for _ in range(times))

    @staticmethod
    def backward(ctx, *gradients):  # type: ignore[no-untyped-def]
        # Steps without a call, or on which no loss depends, have no gradient.
        pairs = zip(gradients, ctx.inputs, strict=False)
        steps = [(gradient, inputs) for gradient, inputs in pairs if gradient is not None]
        if not steps:
            return None, None, None, None, None
        flat_gradients, flat_inputs = (torch.cat(tensors) for tensors in zip(*steps, strict=True))
        with torch.autocast(flat_gradients.device.type, enabled=False):
            # (out, T*B) by (T*B, in): the sum over steps is part of the product.
            gradients = weight_and_bias_gradients(flat_gradients, flat_inputs, with_bias=ctx.has_bias)
            return *gradients, None, None, None
