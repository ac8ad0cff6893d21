"""The unrolled loop over time: any pointwise update made into a sequence, with its gradients.

Forward, each step is one recurrent product and the update. Backward, each step is the update again with its
vector-Jacobian product, and one recurrent product; the recurrent weight's gradient is ONE product over all steps at
the end, and the input product was taken out of the loop before. So the cost is that of the products, whatever the
update is. Products are in the inputs' format, the update and the states it carries on in float32 at least.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.packed import repeated_product
from nmt_lstm.numerics.sequence_linear import summed_gradients
from nmt_lstm.recurrence.recorded_unroll import RecordedUnroll
from nmt_lstm.recurrence.recorded_update import Replay
from nmt_lstm.recurrence.recordings import recording
from nmt_lstm.recurrence.recurrence import Recurrence, State, Tensors, cut_gates, leaves, update_type
from nmt_lstm.recurrence.replaced import with_parameters
from nmt_lstm.recurrence.tape import RandomNumbersError, UntapeableError

__all__ = ["unroll"]

# Shorter sequences are over before the update is recorded.
SHORTEST_RECORDED = 4


def unroll(
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
    tensors = (weight, bias, *from_input, *state, *extra)
    with _no_autocast(state[0]):
        replay = _replay(recurrence, from_input, state, weight, extra)
        if replay is not None:
            outputs, *last = RecordedUnroll.apply(recurrence, replay, counts, *tensors)  # type: ignore[no-untyped-call]
        else:
            outputs, *last = _Unroll.apply(recurrence, counts, *tensors)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


def _replay(
    recurrence: Recurrence,
    from_input: Sequence[Tensor],
    state: State,
    weight: Tensor | None,
    extra: Sequence[Tensor],
) -> Replay | None:
    """Return the update recorded, if that is possible and worth while."""
    if len(from_input[0]) < SHORTEST_RECORDED or state[0].device.type != "cpu":
        return None
    hidden = state[0].shape[1]
    x_gates = sum(part.shape[-1] for part in from_input) // hidden
    h_gates = 0 if weight is None else weight.shape[0] // hidden
    try:
        return recording(recurrence, x_gates, h_gates, state, extra, from_input[0].dtype)
    except RandomNumbersError as problem:
        raise ValueError(
            f"{type(recurrence.module).__name__}.update must be a function of its arguments, but {problem}. Dropout on "
            f"a recurrence comes from outside: see the wrappers of cells in docs/plugins.md."
        ) from problem
    except UntapeableError:
        return None


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


class _Unroll(torch.autograd.Function):
    """The differentiable loop by autograd: any update, on any device."""

    @staticmethod
    def forward(ctx, recurrence, counts, weight, bias, *tensors):  # type: ignore[no-untyped-def]
        from_input, state = tensors[: counts[0]], tensors[counts[0] : sum(counts)]
        length, rows, _ = from_input[0].shape
        dtype, hidden = from_input[0].dtype, state[0].shape[1]
        outputs = from_input[0].new_empty(length, rows, hidden)
        fed = from_input[0].new_empty(length if weight is not None else 0, rows, hidden)
        history, states = [], []
        if weight is not None:
            product = repeated_product(weight, bias, rows=rows, times=length)
        for t in range(length):
            states.append(state)
            if weight is not None:
                fed[t] = recurrence.fed(state, dtype)
                history.append(product(fed[t]))
            x, h = cut_gates([part[t] for part in from_input], hidden), cut_gates(history[t:], hidden)
            outputs[t], state = recurrence.update(x, h, state, recurrence.noise_at(t))
        ctx.recurrence, ctx.counts, ctx.extra = recurrence, counts, tensors[sum(counts) :]
        flat = [part for entry in states for part in entry]
        ctx.save_for_backward(weight, fed, *from_input, *history, *flat)
        return (outputs, *(part.clone() for part in state))

    @staticmethod
    def backward(ctx, for_outputs, *for_last):  # type: ignore[no-untyped-def]
        parameters = dict(zip(ctx.recurrence.names, ctx.extra, strict=True))
        with _no_autocast(for_outputs):
            # The parameters may have been others when the sequence was unrolled.
            return with_parameters(
                ctx.recurrence.module,
                parameters,
                lambda: _gradients(ctx, for_outputs, list(for_last)),  # type: ignore[no-untyped-call]
            )


def _gradients(ctx, for_outputs, for_state):  # type: ignore[no-untyped-def]
    """Return the gradients of all that `_Unroll.forward` took."""
    weight, fed, *saved = ctx.saved_tensors
    length, rows, hidden = for_outputs.shape
    inputs, parts = ctx.counts
    from_input, saved = saved[:inputs], saved[inputs:]
    history, flat = (saved[:length], saved[length:]) if weight is not None else ([], saved)
    extra = [tensor for tensor in ctx.extra if tensor.requires_grad]
    for_extra = [torch.zeros_like(tensor) for tensor in extra]
    for_input = [torch.empty_like(part) for part in from_input]
    if weight is not None:
        for_history = for_outputs.new_empty(length, rows, weight.shape[0])
        product = repeated_product(weight.t(), rows=rows, times=length)
    for t in reversed(range(length)):
        x = leaves(cut_gates([part[t] for part in from_input], hidden))
        h = leaves(cut_gates(history[t : t + 1], hidden))
        state = leaves(flat[t * parts : (t + 1) * parts])
        with torch.enable_grad():
            output, new = ctx.recurrence.update(x, h, state, ctx.recurrence.noise_at(t))
        results, seeds = [*new], for_state
        if output is new[0]:
            seeds[0] = seeds[0] + for_outputs[t]
        else:
            results, seeds = [output, *new], [for_outputs[t].to(output.dtype), *seeds]
        kept = [number for number, result in enumerate(results) if result.requires_grad]
        gradients: tuple[Tensor | None, ...] = torch.autograd.grad(
            [results[number] for number in kept],
            [*x, *h, *state, *extra],
            [seeds[number] for number in kept],
            allow_unused=True,
        )
        places = [place for part in for_input for place in part[t].split(hidden, -1)]
        if weight is not None:
            places += for_history[t].split(hidden, -1)
        for place, gradient in zip(places, gradients, strict=False):
            place.zero_() if gradient is None else place.copy_(gradient)
        of_state = gradients[len(places) : len(places) + parts]
        for_state = [
            torch.zeros_like(part) if gradient is None else gradient
            for part, gradient in zip(state, of_state, strict=True)
        ]
        if weight is not None:
            back = product(for_history[t])
            mask = ctx.recurrence.history_mask
            for_state[0] = for_state[0] + (back if mask is None else back * mask)
        for total, gradient in zip(for_extra, gradients[len(places) + parts :], strict=True):
            if gradient is not None:
                total += gradient
    for_weight = for_bias = None
    if weight is not None:
        all_history = for_history.flatten(0, 1)
        for_weight, for_bias = summed_gradients(all_history, fed.flatten(0, 1))
    remaining = iter(for_extra)
    extra_gradients = [next(remaining) if tensor.requires_grad else None for tensor in ctx.extra]
    return (None, None, for_weight, for_bias, *for_input, *for_state, *extra_gradients)


def _no_autocast(like: Tensor) -> torch.autocast:
    return torch.autocast(like.device.type, enabled=False)
