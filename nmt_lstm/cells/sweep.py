"""The sweep through time: any pointwise update made into a sequence, with its gradients.

Forward, each step is one recurrent product and the update. Backward, each step is the update again with its
vector-Jacobian product, and one recurrent product; the recurrent weight's gradient is ONE product over all steps at
the end, and the input product was taken out of the loop before. So the cost is that of the products, whatever the
update is. Products are in the inputs' format, the update and the states it carries on in float32 at least.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nmt_lstm.cells.cell import State
from nmt_lstm.cells.recurrence import Recurrence, Tensors, cut_gates, enters_as_sum, leaves, update_type
from nmt_lstm.cells.replaced import with_parameters
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.packed import repeated_product

__all__ = ["sweep"]

# Shorter sequences are over before it is known whether one tensor can stand for a gate's two parts.
SHORTEST_TRIED = 4


def sweep(
    recurrence: Recurrence,
    from_input: Sequence[Tensor],
    state: State,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
) -> tuple[Tensor, State]:
    """Repeat an update over a sequence.

    Args:
        recurrence: the update and what belongs to it.
        from_input: tensors (T, B, n*H), time first, of the gates' pre-activations from the input, bias included.
        state: initial state, each (B, H).
        weight: (G*H, H) recurrent weight; without it the update gets no gates from history.
        bias: (G*H,) recurrent bias.

    Returns:
        The outputs (T, B, H) in the inputs' format, and the last state.
    """
    dtype, compute = from_input[0].dtype, update_type(from_input[0].dtype)
    state = tuple(part.to(compute) for part in state)
    if weight is not None:
        weight, bias = weight.to(dtype), bias.to(dtype) if bias is not None else None
    if not torch.is_grad_enabled():
        return _without_gradient(recurrence, from_input, state, weight, bias)
    parameters = dict(recurrence.module.named_parameters())
    extra = [parameters[name] for name in recurrence.names]
    counts = len(from_input), len(state)
    outputs, *last = _Sweep.apply(recurrence, counts, weight, bias, *from_input, *state, *extra)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


def _without_gradient(
    recurrence: Recurrence,
    from_input: Sequence[Tensor],
    state: State,
    weight: Tensor | None,
    bias: Tensor | None,
) -> tuple[Tensor, State]:
    dtype, hidden = from_input[0].dtype, state[0].shape[1]
    outputs = []
    h: Tensors = ()
    with _no_autocast(state[0]):
        for t in range(len(from_input[0])):
            if weight is not None:
                h = cut_gates([linear(recurrence.fed(state, dtype), weight, bias)], hidden)
            x = cut_gates([part[t] for part in from_input], hidden)
            output, state = recurrence.rows(x, h, state, recurrence.noise_at(t))
            outputs.append(output.to(dtype))
    return torch.stack(outputs), state


class _Sweep(torch.autograd.Function):
    """The differentiable sweep."""

    @staticmethod
    def forward(ctx, recurrence, counts, weight, bias, *tensors):  # type: ignore[no-untyped-def]
        from_input, state = tensors[: counts[0]], tensors[counts[0] : sum(counts)]
        length, rows, _ = from_input[0].shape
        dtype, hidden = from_input[0].dtype, state[0].shape[1]
        gates = weight.shape[0] // hidden if weight is not None else 0
        outputs = from_input[0].new_empty(length, rows, hidden)
        fed = from_input[0].new_empty(length if gates else 0, rows, hidden)
        history, states = [], []
        with _no_autocast(outputs):
            summed = bool(gates) and counts[0] == 1 and length >= SHORTEST_TRIED
            summed = summed and outputs.device.type == "cpu" and enters_as_sum(recurrence, gates, state)
            nothing = (state[0].new_zeros(()).expand(rows, hidden),) * gates
            product = repeated_product(weight, bias, rows=rows, times=length) if gates else None
            for t in range(length):
                states.append(state)
                if product is not None:
                    fed[t] = recurrence.fed(state, dtype)
                    history.append(product(fed[t]))
                if summed:
                    x, h = cut_gates([history[t].add_(from_input[0][t])], hidden), nothing
                else:
                    x = cut_gates([part[t] for part in from_input], hidden)
                    h = cut_gates(history[t:], hidden)
                output, state = recurrence.update(x, h, state, recurrence.noise_at(t))
                outputs[t] = output
        ctx.recurrence, ctx.summed, ctx.extra = recurrence, summed, tensors[sum(counts) :]
        ctx.widths = [part.shape[-1] for part in from_input]
        ctx.set_materialize_grads(True)
        flat = [part for entry in states for part in entry]
        ctx.save_for_backward(weight, fed, *(() if summed else from_input), *history, *flat)
        return (outputs, *(part.clone() for part in state))

    @staticmethod
    def backward(ctx, for_outputs, *for_last):  # type: ignore[no-untyped-def]
        parameters = dict(zip(ctx.recurrence.names, ctx.extra, strict=True))
        with _no_autocast(for_outputs):
            return with_parameters(
                ctx.recurrence.module, parameters, lambda: _gradients(ctx, for_outputs, for_last)
            )


def _gradients(ctx, for_outputs, for_last):  # type: ignore[no-untyped-def]
    """Return the gradients of all that `_Sweep.forward` took."""
    weight, fed, *saved = ctx.saved_tensors
    length, rows, hidden = for_outputs.shape
    count = 0 if ctx.summed else len(ctx.widths)
    from_input, saved = saved[:count], saved[count:]
    history, flat = (saved[:length], saved[length:]) if weight is not None else ([], saved)
    parts = len(for_last)
    extra = [tensor for tensor in ctx.extra if tensor.requires_grad]
    for_extra = [torch.zeros_like(tensor) for tensor in extra]
    for_input = [for_outputs.new_empty(length, rows, width) for width in ctx.widths]
    for_state = list(for_last)
    nothing: Tensors = ()
    if weight is not None:
        for_history = for_input[0] if ctx.summed else for_outputs.new_empty(length, rows, weight.shape[0])
        product = repeated_product(weight.t(), rows=rows, times=length)
        if ctx.summed:
            nothing = (for_state[0].new_zeros(()).expand(rows, hidden),) * (weight.shape[0] // hidden)
    for t in reversed(range(length)):
        x = leaves(cut_gates([history[t]] if ctx.summed else [part[t] for part in from_input], hidden))
        h = leaves(cut_gates([] if ctx.summed else history[t : t + 1], hidden))
        state = leaves(flat[t * parts : (t + 1) * parts])
        with torch.enable_grad():
            output, new = ctx.recurrence.update(x, h or nothing, state, ctx.recurrence.noise_at(t))
        results, wanted = [*new], for_state
        if output is new[0]:
            wanted[0] = wanted[0] + for_outputs[t]
        else:
            results, wanted = [output, *new], [for_outputs[t].to(output.dtype), *for_state]
        kept = [number for number, result in enumerate(results) if result.requires_grad]
        gradients = torch.autograd.grad(
            [results[number] for number in kept],
            [*x, *h, *state, *extra],
            [wanted[number] for number in kept],
            allow_unused=True,
        )
        places = [place for part in for_input for place in part[t].split(hidden, -1)]
        if h:
            places += for_history[t].split(hidden, -1)
        for place, gradient in zip(places, gradients, strict=False):
            place.zero_() if gradient is None else place.copy_(gradient)
        for_state = [
            torch.zeros_like(part) if gradient is None else gradient
            for part, gradient in zip(state, gradients[len(places) :], strict=False)
        ]
        if weight is not None:
            fed_back = product(for_history[t])
            mask = ctx.recurrence.history_mask
            for_state[0] = for_state[0] + (fed_back if mask is None else fed_back * mask)
        for total, gradient in zip(for_extra, gradients[len(places) + parts :], strict=True):
            if gradient is not None:
                total += gradient
    for_weight = for_bias = None
    if weight is not None:
        flat_history = for_history.flatten(0, 1)
        for_weight, for_bias = _outer(flat_history, fed.flatten(0, 1)), flat_history.sum(0)
    remaining = iter(for_extra)
    extra_gradients = [next(remaining) if tensor.requires_grad else None for tensor in ctx.extra]
    return (None, None, for_weight, for_bias, *for_input, *for_state, *extra_gradients)


def _outer(left: Tensor, right: Tensor) -> Tensor:
    """Return left.T @ right."""
    # The oneDNN product of `linear` is twice as fast as MKL's on AMD processors, in float32; in bf16 both are oneDNN.
    return linear(left.t(), right.t()) if left.dtype == torch.float32 else left.t() @ right


def _no_autocast(like: Tensor) -> torch.autocast:
    return torch.autocast(like.device.type, enabled=False)
