"""One weight used at every step of a loop under autograd, with ONE product for its gradient at the end."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.packed import repeated_product
from nmt_lstm.numerics.sequence_linear import summed_gradients

__all__ = ["SharedProduct"]


class SharedProduct:
    """The function ``inputs @ weight.T + bias`` for the steps of one sequence.

    Used as it is, a weight in a loop of T steps costs T products for its gradient, each added to the whole weight.

    Args:
        weight: (out, in).
        bias: (out,), or None.
        rows: of the inputs.
        times: how often it will be called, at most.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, rows: int, times: int) -> None:
        device = weight.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight.dtype
        self._weight = weight.to(dtype)
        self._bias = None if bias is None else bias.to(dtype)
        self._slots: list[Tensor] | None = None
        self._inputs: list[Tensor] = []
        if torch.is_grad_enabled():
            # A slot for each step is a node of the graph that waits for the gradients of all its products.
            slots = _Collected.apply(self._weight, self._bias, self._inputs, rows, times)  # type: ignore[no-untyped-call]
            self._slots = list(slots)[::-1]
            detached = None if self._bias is None else self._bias.detach()
            self._product = repeated_product(self._weight.detach(), detached, rows=rows, times=times)
            self._back = repeated_product(self._weight.detach().t(), rows=rows, times=times)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return (rows, out) of (rows, in), in the format of products."""
        inputs = inputs.to(self._weight.dtype)
        if self._slots is None:
            return linear(inputs, self._weight, self._bias)
        self._inputs.append(inputs.detach())
        result: Tensor = _Product.apply(inputs, self._slots.pop(), self._product, self._back)  # type: ignore[no-untyped-call]
        return result


class _Product(torch.autograd.Function):
    """A product whose gradient for its result is handed on to the slot of its step."""

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


class _Collected(torch.autograd.Function):
    """Slots, one for each step; what reaches them backward are the gradients of all products."""

    @staticmethod
    def forward(ctx, weight, bias, inputs, rows, times):  # type: ignore[no-untyped-def]
        ctx.inputs, ctx.shape, ctx.has_bias = inputs, weight.shape, bias is not None
        ctx.set_materialize_grads(False)
        # Zeros that take no memory, but are as many as the results.
        return tuple(weight.new_zeros(()).expand(rows, weight.shape[0]) for _ in range(times))

    @staticmethod
    def backward(ctx, *gradients):  # type: ignore[no-untyped-def]
        # Steps that were not taken, or that no loss depends on, have no gradient.
        steps = [(one, taken) for one, taken in zip(gradients, ctx.inputs, strict=False) if one is not None]
        if not steps:
            return None, None, None, None, None
        flat = torch.cat([one for one, _ in steps])
        with torch.autocast(flat.device.type, enabled=False):
            # (out, T*B) by (T*B, in): the sum over steps is part of the product.
            for_weight, for_bias = summed_gradients(flat, torch.cat([taken for _, taken in steps]))
            return for_weight, for_bias if ctx.has_bias else None, None, None, None
