"""Gradients of any part: taken, compared with finite differences, and looked for where there are none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nmt_lstm.numerics.bf16_trial import bf16_works
from nmt_lstm.testing.comparison import Comparison
from nmt_lstm.testing.failure import ConformanceFailure, NotChecked
from nmt_lstm.testing.subject import random_tensor

__all__ = ["check_against_numbers", "check_bf16", "check_reached", "gradients_of"]

LARGEST_BF16_DIFFERENCE = 0.06
LARGEST_BF16_GRADIENT_DISTANCE = 0.2
# Of the largest gradient: what is smaller is the rounding of a sum that is 0, as for a bias that a softmax takes away.
SMALLEST_GRADIENT = 1e-6


def gradients_of(results: Sequence[Tensor], wanted: Sequence[Tensor]) -> list[Tensor | None]:
    """Return the gradients of a sum of the results, weighted at random so that none of them can hide."""
    total = torch.stack(
        [
            (result.double() * random_tensor(*result.shape, dtype=torch.float64, seed=50 + number)).sum()
            for number, result in enumerate(results)
            if result.requires_grad
        ]
        or [torch.zeros(())]
    ).sum()
    if not total.requires_grad:
        return [None] * len(wanted)
    return list(torch.autograd.grad(total, list(wanted), allow_unused=True))


def check_reached(names: Sequence[str], gradients: Sequence[Tensor | None]) -> str:
    """Raise ConformanceFailure unless each gradient is there, finite and not all zeros."""
    hint = (
        "Every parameter must take part in every sequence: one that does not is never trained, and stops training on "
        "several devices. Look for .detach(), .data, .item(), no_grad, or a gate that nothing uses."
    )
    sizes = [0.0 if gradient is None else float(gradient.abs().max()) for gradient in gradients]
    for name, size in zip(names, sizes, strict=True):
        if not math.isfinite(size):
            raise ConformanceFailure(
                f"the gradient of {name} is NaN or infinite",
                "Look for a square root, a logarithm or a division at 0.",
            )
    smallest = SMALLEST_GRADIENT * max(sizes)
    for name, size in zip(names, sizes, strict=True):
        if size <= smallest:
            raise ConformanceFailure(
                f"no gradient reaches {name}: its largest value is {size:.1e}, and {max(sizes):.1e} elsewhere",
                hint,
            )
    return f"{len(sizes)} gradients, their largest values {min(sizes):.1e} and more"


def check_against_numbers(run: Callable[..., tuple[Tensor, ...]], given: Sequence[Tensor]) -> str:
    """Compare the gradients of `run(*given)`, in float64, with finite differences.

    Raises:
        ConformanceFailure: they differ.
    """
    leaves = [tensor.detach().clone().requires_grad_() for tensor in given]
    try:
        torch.autograd.gradcheck(run, leaves, fast_mode=True)
    except RuntimeError as problem:  # gradcheck's own error is one
        numbers = " ".join(str(problem).split())[:300]
        raise ConformanceFailure(
            f"gradcheck: {numbers}",
            "The backward pass is wrong, or the values are rounded on their way (a float() or a float32 constant), "
            "or are random in evaluation mode.",
        ) from problem
    return f"{len(leaves)} tensors agree with finite differences"


def check_bf16(run: Callable[[], tuple[Tensor, ...]], parameters: Sequence[Tensor], hint: str) -> str:
    """Compare results and gradients under bf16 autocast with those in float32.

    Raises:
        ConformanceFailure: values are not finite, or further away than bf16's rounding explains.
        NotChecked: this processor does not compute in bf16.
    """
    if not bf16_works():
        raise NotChecked("not checked: this processor does not compute in bf16")
    comparison = Comparison(LARGEST_BF16_DIFFERENCE, hint)
    expected = run()
    with torch.autocast("cpu", torch.bfloat16):
        seen = run()
    for number, (one, other) in enumerate(zip(seen, expected, strict=True)):
        comparison.add(f"result {number} in bf16", one, other)
    if not parameters or not any(result.requires_grad for result in expected):
        return str(comparison)
    wanted = _flat(gradients_of(expected, parameters), parameters)
    gradient = _flat(gradients_of(seen, parameters), parameters)
    # A single value may differ more, where a function has a kink.
    distance = float((gradient - wanted).norm() / wanted.norm())
    if not distance <= LARGEST_BF16_GRADIENT_DISTANCE:
        raise ConformanceFailure(
            f"gradients in bf16 are {distance:.1e} of their length away from those in float32, "
            f"allowed {LARGEST_BF16_GRADIENT_DISTANCE}",
            hint,
        )
    return f"{comparison}; gradients {distance:.1e} of their length away, allowed {LARGEST_BF16_GRADIENT_DISTANCE}"


def _flat(gradients: Sequence[Tensor | None], like: Sequence[Tensor]) -> Tensor:
    parts = [
        torch.zeros_like(parameter) if gradient is None else gradient
        for gradient, parameter in zip(gradients, like, strict=True)
    ]
    return torch.cat([part.flatten() for part in parts])
