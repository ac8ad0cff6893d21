"""Checks of gradients of cells, attentions and encoders: that they exist, are correct, and are close in bf16."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nmt_lstm.numerics.bf16_trial import bf16_works
from nmt_lstm.testing.failure import Comparison, ConformanceFailure, NotChecked
from nmt_lstm.testing.subject import random_tensor

__all__ = ["check_bf16", "check_finite_differences", "check_reached", "gradients_of"]

MAX_BF16_DIFFERENCE = 0.06
MAX_BF16_GRADIENT_DISTANCE = 0.2
# Relative to the largest gradient. Smaller ones are rounding errors of 0, as for a bias that a softmax cancels.
MIN_GRADIENT = 1e-6


def gradients_of(results: Sequence[Tensor], leaves: Sequence[Tensor]) -> list[Tensor | None]:
    """Return the gradients of a randomly weighted sum of the results, in which no two of them cancel, for the leaves."""
    total = torch.stack(
        [
            (result.double() * random_tensor(*result.shape, dtype=torch.float64, seed=50 + number)).sum()
            for number, result in enumerate(results)
            if result.requires_grad
        ]
        or [torch.zeros(())]
    ).sum()
    if not total.requires_grad:
        return [None] * len(leaves)
    return list(torch.autograd.grad(total, list(leaves), allow_unused=True))


def check_reached(names: Sequence[str], gradients: Sequence[Tensor | None]) -> str:
    """Raise ConformanceFailure unless each gradient exists, is finite and is not zero."""
    hint = (
        "Every sequence must use every parameter: an unused one is not trained, and training on several devices fails. "
        "Look for .detach(), .data, .item(), no_grad, or an unused gate."
    )
    sizes = [0.0 if gradient is None else float(gradient.abs().max()) for gradient in gradients]
    for name, size in zip(names, sizes, strict=True):
        if not math.isfinite(size):
            raise ConformanceFailure(
                f"the gradient of {name} is NaN or infinite",
                "Look for a square root, a logarithm or a division at 0.",
            )
    smallest = MIN_GRADIENT * max(sizes)
    for name, size in zip(names, sizes, strict=True):
        if size <= smallest:
            raise ConformanceFailure(
                f"no gradient reaches {name}: its largest value is {size:.1e}, and {max(sizes):.1e} elsewhere",
                hint,
            )
    return f"{len(sizes)} gradients, with largest values of {min(sizes):.1e} or more"


def check_finite_differences(run: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor]) -> str:
    """Compare the gradients of `run(*inputs)`, in float64, with finite differences.

    Raises:
        ConformanceFailure: they differ.
    """
    leaves = [tensor.detach().clone().requires_grad_() for tensor in inputs]
    try:
        torch.autograd.gradcheck(run, leaves, fast_mode=True)
    except RuntimeError as problem:  # including the error of gradcheck itself
        reason = " ".join(str(problem).split())[:300]
        raise ConformanceFailure(
            f"gradcheck: {reason}",
            "The backward pass is wrong, or values are rounded (by float() or a float32 constant), or are random in "
            "evaluation mode.",
        ) from problem
    return f"{len(leaves)} tensors agree with finite differences"


def check_bf16(run: Callable[[], tuple[Tensor, ...]], parameters: Sequence[Tensor], hint: str) -> str:
    """Compare results and gradients under bf16 autocast with those in float32.

    Raises:
        ConformanceFailure: values are not finite, or differ more than rounding to bf16 explains.
        NotChecked: this processor does not compute in bf16.
    """
    if not bf16_works():
        raise NotChecked("not checked: this processor does not compute in bf16")
    comparison = Comparison(MAX_BF16_DIFFERENCE, hint)
    expected = run()
    with torch.autocast("cpu", torch.bfloat16):
        actual = run()
    for number, (one, other) in enumerate(zip(actual, expected, strict=True)):
        comparison.add(f"result {number} in bf16", one, other)
    if not parameters or not any(result.requires_grad for result in expected):
        return str(comparison)
    gradient = _flatten(gradients_of(expected, parameters), parameters)
    bf16_gradient = _flatten(gradients_of(actual, parameters), parameters)
    # The distance of all gradients: where a function has a kink, single values may differ more.
    distance = float((bf16_gradient - gradient).norm() / gradient.norm())
    if not distance <= MAX_BF16_GRADIENT_DISTANCE:
        raise ConformanceFailure(
            f"gradients in bf16 have a relative distance of {distance:.1e} from those in float32, "
            f"allowed {MAX_BF16_GRADIENT_DISTANCE}",
            hint,
        )
    return (
        f"{comparison}; relative distance of gradients {distance:.1e}, allowed {MAX_BF16_GRADIENT_DISTANCE}"
    )


def _flatten(gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Tensor:
    complete = [
        torch.zeros_like(parameter) if gradient is None else gradient
        for gradient, parameter in zip(gradients, parameters, strict=True)
    ]
    return torch.cat([gradient.flatten() for gradient in complete])
