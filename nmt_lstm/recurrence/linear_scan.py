"""The linear recurrence h_t = a_t * h_(t-1) + b_t over whole sequences, differentiable."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["linear_recurrence"]


def linear_recurrence(decay: Tensor, addition: Tensor, initial: Tensor) -> Tensor:
    """Return h_1 to h_T of h_t = decay_t * h_(t-1) + addition_t.

    Sound for any factors: nothing is divided and no logarithm taken. On a GPU the steps are joined in pairs, then the
    pairs, and so on: log2(T) rounds over the whole sequence (Hillis and Steele 1986; Martin and Cundy 2018). On a
    processor, where each round would be a walk through memory, one step follows the other.

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
    """Its gradient is a linear recurrence too, from the end to the start."""

    @staticmethod
    def forward(ctx, decay, addition, initial):  # type: ignore[no-untyped-def]
        states = _scan(decay, addition, initial)
        ctx.save_for_backward(decay, states, initial)
        return states

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        decay, states, initial = ctx.saved_tensors
        # What reaches h_t: its own gradient, and decay_(t+1) times what reaches h_(t+1).
        following = torch.cat([decay[1:], torch.zeros_like(decay[:1])]).flip(0)
        reaching = _scan(following, gradient.flip(0), torch.zeros_like(initial)).flip(0)
        before = torch.cat([initial[None], states[:-1]])
        return reaching * before, reaching, reaching[0] * decay[0]


def _scan(decay: Tensor, addition: Tensor, initial: Tensor) -> Tensor:
    if decay.device.type != "cpu":
        return _scan_by_pairs(decay, addition, initial)
    states = torch.empty_like(addition)
    before = initial
    for factor, term, state in zip(decay, addition, states, strict=True):
        before = torch.addcmul(term, factor, before, out=state)
    return states


def _scan_by_pairs(decay: Tensor, addition: Tensor, initial: Tensor) -> Tensor:
    states, factors = addition.clone(), decay.clone()
    states[0].addcmul_(decay[0], initial)
    # Before each round, a state lacks what comes from `reach` steps before it or earlier, which factors carry there.
    reach = 1
    while reach < len(decay):
        states[reach:] = torch.addcmul(states[reach:], factors[reach:], states[:-reach])
        factors[reach:] = factors[reach:] * factors[:-reach]
        reach *= 2
    return states
