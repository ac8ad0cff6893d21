"""The linear recurrence h_t = decay_t * h_(t-1) + addition_t over whole sequences, differentiable."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["linear_recurrence"]


def linear_recurrence(decay: Tensor, addition: Tensor, initial: Tensor) -> Tensor:
    """Return h_1 to h_T of h_t = decay_t * h_(t-1) + addition_t.

    It works for any factors, zeros included, since it neither divides nor takes logarithms. On a GPU it is a parallel scan:
    log2(T) rounds, each over the whole sequence (Hillis and Steele 1986; Martin and Cundy 2018). On a CPU, where each
    round would be a pass over memory, it is a loop over the steps.

    Args:
        decay: (T, B, H), float32 or float64.
        addition: (T, B, H).
        initial: (B, H), h_0.

    Returns:
        (T, B, H).
    """
    result: Tensor = _LinearRecurrence.apply(decay, addition, initial)  # type: ignore[no-untyped-call]
    return result


class _LinearRecurrence(torch.autograd.Function):
    """The gradient is a linear recurrence too, from the last position to the first."""

    @staticmethod
    def forward(ctx, decay, addition, initial):  # type: ignore[no-untyped-def]
        states = _scan(decay, addition, initial)
        ctx.save_for_backward(decay, states, initial)
        return states

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        decay, states, initial = ctx.saved_tensors
        # With g_t the loss's whole gradient for h_t: g_t = gradient_t + decay_(t+1) * g_(t+1).
        next_decay = torch.cat([decay[1:], torch.zeros_like(decay[:1])]).flip(0)
        for_states = _scan(next_decay, gradient.flip(0), torch.zeros_like(initial)).flip(0)
        previous_states = torch.cat([initial[None], states[:-1]])
        return for_states * previous_states, for_states, for_states[0] * decay[0]


def _scan(decay: Tensor, addition: Tensor, initial: Tensor) -> Tensor:
    if decay.device.type != "cpu":
        return _parallel_scan(decay, addition, initial)
    states = torch.empty_like(addition)
    previous = initial
    for factor, term, state in zip(decay, addition, states, strict=True):
        previous = torch.addcmul(term, factor, previous, out=state)
    return states


def _parallel_scan(decay: Tensor, addition: Tensor, initial: Tensor) -> Tensor:
    states, factors = addition.clone(), decay.clone()
    states[0].addcmul_(decay[0], initial)
    # Before each round, states[t] sums the last `reach` additions, and factors[t] is the product of their decays.
    reach = 1
    while reach < len(decay):
        states[reach:] = torch.addcmul(states[reach:], factors[reach:], states[:-reach])
        factors[reach:] = factors[reach:] * factors[:-reach]
        reach *= 2
    return states
