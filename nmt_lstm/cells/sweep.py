"""The sweep through time: any pointwise update made into a sequence, with its gradients.

Forward, each step is one recurrent product and the update. Backward, each step is the update's vector-Jacobian
product and one recurrent product; the recurrent weight's gradient is ONE product over all steps at the end, and the
input product was taken out of the loop before. So the cost is that of the products, whatever the update is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nmt_lstm.cells.cell import State
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.pointwise import by_rows

__all__ = ["sweep", "update_rows"]

# (gate pre-activations from the input (B, G*H), the same from history, state) -> new state.
Update = Callable[[Tensor, Tensor, State], State]


def sweep(
    update: Update,
    from_input: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor,
    state: State,
    extra: Sequence[Tensor] = (),
) -> tuple[Tensor, State]:
    """Run `update` over a sequence.

    Args:
        update: the pointwise function.
        from_input: (B, T, G*H) pre-activations from the input, bias included.
        weight_hh: (G*H, H) recurrent weight.
        bias_hh: (G*H,) recurrent bias.
        state: initial state, each (B, width); the first is the hidden state that enters the recurrent product.
        extra: parameters that `update` uses besides.

    Returns:
        The hidden states (B, T, H) and the last state.
    """
    if not torch.is_grad_enabled():
        return _without_gradient(update, from_input, weight_hh, bias_hh, state)
    dtype = from_input.dtype
    cast = [tensor.to(dtype) for tensor in (weight_hh, bias_hh, *state)]
    hidden, *last = _Sweep.apply(update, len(state), from_input, *cast, *extra)  # type: ignore[no-untyped-call]
    return hidden, tuple(last)


def _without_gradient(
    update: Update, from_input: Tensor, weight_hh: Tensor, bias_hh: Tensor, state: State
) -> tuple[Tensor, State]:
    outputs = []
    for position in from_input.unbind(1):
        state = update_rows(update, position, linear(state[0], weight_hh, bias_hh), state)
        outputs.append(state[0])
    return torch.stack(outputs, 1), state


def update_rows(update: Update, x: Tensor, h: Tensor, state: State) -> State:
    """Return the new state; without gradients a row's bits do not depend on the number of rows."""
    if torch.is_grad_enabled():
        return update(x, h, state)
    return by_rows(lambda parts: update(parts[0], parts[1], parts[2:]), (x, h, *state), state[0].shape[1])


class _Sweep(torch.autograd.Function):
    """The differentiable sweep; all tensors but `extra` have one dtype."""

    @staticmethod
    def forward(ctx, update, state_count, from_input, weight, bias, *rest):  # type: ignore[no-untyped-def]
        state, extra = tuple(rest[:state_count]), rest[state_count:]
        dtype = from_input.dtype
        steps = from_input.transpose(0, 1).contiguous()
        history, states = [], [state]
        with torch.no_grad(), _no_autocast(from_input):
            for position in steps:
                pre = linear(state[0], weight, bias)
                state = tuple(part.to(dtype) for part in update(position, pre, state))
                history.append(pre)
                states.append(state)
        ctx.update, ctx.state_count = update, state_count
        ctx.extra = [tensor for tensor in extra if tensor.requires_grad]
        ctx.extra_needs = [tensor.requires_grad for tensor in extra]
        ctx.save_for_backward(steps, weight, *history, *(part for entry in states for part in entry))
        hidden = torch.stack([entry[0] for entry in states[1:]], 1)
        return (hidden, *(part.clone() for part in state))

    @staticmethod
    def backward(ctx, for_hidden, *for_last):  # type: ignore[no-untyped-def]
        steps, weight, *saved = ctx.saved_tensors
        length, count, dtype = len(steps), ctx.state_count, steps.dtype
        history, flat_states = saved[:length], saved[length:]
        states = [tuple(flat_states[i * count : (i + 1) * count]) for i in range(length + 1)]
        weight_t = weight.t().contiguous()
        for_history: list[Tensor] = [steps] * length
        for_steps = torch.empty_like(steps)
        for_state = [gradient.to(dtype) for gradient in for_last]
        for_extra: list[Tensor] | None = None
        with _no_autocast(steps):
            for t in reversed(range(length)):
                for_state[0] = for_state[0] + for_hidden[:, t]
                leaves = [part.detach().requires_grad_() for part in (steps[t], history[t], *states[t])]
                with torch.enable_grad():
                    new_state = ctx.update(leaves[0], leaves[1], tuple(leaves[2:]))
                    gradients = torch.autograd.grad(
                        new_state,
                        [*leaves, *ctx.extra],
                        [
                            gradient.to(part.dtype)
                            for gradient, part in zip(for_state, new_state, strict=True)
                        ],
                        materialize_grads=True,
                    )
                for_steps[t] = gradients[0]
                for_history[t] = gradients[1]
                for_state = list(gradients[2 : 2 + count])
                for_state[0] = for_state[0] + linear(gradients[1], weight_t)
                step_extra = gradients[2 + count :]
                if for_extra is None:
                    for_extra = [gradient.clone() for gradient in step_extra]
                else:
                    for total, gradient in zip(for_extra, step_extra, strict=True):
                        total += gradient
            all_history = torch.cat(for_history)
            all_hidden = torch.cat([entry[0] for entry in states[:-1]])
            for_weight = linear(all_history.t().contiguous(), all_hidden.t().contiguous())
            for_bias = all_history.sum(0)
        remaining = iter(for_extra or [])
        extra_gradients = [next(remaining) if needs else None for needs in ctx.extra_needs]
        return (None, None, for_steps.transpose(0, 1), for_weight, for_bias, *for_state, *extra_gradients)


def _no_autocast(like: Tensor) -> torch.autocast:
    return torch.autocast(like.device.type, enabled=False)
