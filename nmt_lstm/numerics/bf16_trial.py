"""Whether this processor computes in bf16 at all: tried once, because no library has a function that tells it.

Without AVX-512 oneDNN has no bf16 LSTM and would raise an error in the middle of a run. What torch reports about the
processor does not say which instructions oneDNN may use (ONEDNN_MAX_CPU_ISA).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["bf16_works"]

ROWS, STEPS, WIDTH = 8, 2, 16
# bf16 keeps 8 bits, and most values compared are below 4.
TOLERANCE = 0.1


@functools.cache
def bf16_works() -> bool:
    """Whether products and the LSTM's kernel work in bf16, forward and backward, in hardware or emulated."""
    # The caller may be in inference mode, where nothing has gradients.
    with torch.inference_mode(mode=False):
        try:
            return _is_correct(functional.linear, _linear_operands()) and _is_correct(_lstm, _lstm_operands())
        except RuntimeError:
            return False


def _is_correct(function: Callable[..., Tensor], operands: list[Tensor]) -> bool:
    expected = _results(function, operands, bf16=False, gradients=True)
    trained = _results(function, operands, bf16=True, gradients=True)
    inferred = _results(function, operands, bf16=True, gradients=False)
    pairs = [*zip(trained, expected, strict=True), *zip(inferred, expected, strict=False)]
    return all(
        torch.allclose(tensor.float(), exact, rtol=TOLERANCE, atol=TOLERANCE) for tensor, exact in pairs
    )


def _results(
    function: Callable[..., Tensor], operands: list[Tensor], *, bf16: bool, gradients: bool
) -> list[Tensor]:
    """Return the function's result, and if asked for, the gradients of its sum."""
    # Without a cache: the caller's autocast, if there is one, would keep the casts of these operands.
    region = torch.autocast("cpu", torch.bfloat16, enabled=bf16, cache_enabled=False)
    with torch.set_grad_enabled(gradients), region:
        result = function(*operands)
    return [result, *torch.autograd.grad(result.float().sum(), operands)] if gradients else [result]


def _lstm(inputs: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    state = inputs.new_zeros(1, ROWS, WIDTH)
    weights = [weight_ih, weight_hh, bias_ih, bias_hh]
    training = torch.is_grad_enabled()
    outputs, _, _ = torch.lstm(inputs, [state, state], weights, True, 1, 0.0, training, False, True)
    return outputs


def _linear_operands() -> list[Tensor]:
    return [_values(ROWS, WIDTH), _values(2 * WIDTH, WIDTH), _values(2 * WIDTH)]


def _lstm_operands() -> list[Tensor]:
    gates = 4 * WIDTH
    weights = [_values(gates, WIDTH), _values(gates, WIDTH), _values(gates), _values(gates)]
    return [_values(ROWS, STEPS, WIDTH), *weights]


def _values(*shape: int) -> Tensor:
    """Return numbers between -0.5 and 0.5 without drawing any, so that the caller's random numbers stay the same."""
    numbers = torch.arange(torch.Size(shape).numel(), dtype=torch.float32, device="cpu")
    return numbers.mul_(0.7).sin_().mul_(0.5).view(shape).requires_grad_()
