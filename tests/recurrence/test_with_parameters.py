"""A function runs with different tensors in place of a module's parameters, which are restored afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.recurrence.with_parameters import with_parameters


def test_replacements_are_used_and_get_the_gradients() -> None:
    module, inputs = nn.Linear(3, 2), torch.randn(4, 3)
    weight = torch.randn(2, 3, requires_grad=True)
    outputs = with_parameters(module, {"weight": weight}, lambda: module(inputs))
    torch.testing.assert_close(outputs, inputs @ weight.t() + module.bias)
    outputs.sum().backward()
    torch.testing.assert_close(weight.grad, inputs.sum(0).expand(2, 3))
    assert module.weight.grad is None
    assert module.bias.grad is not None


def test_parameters_are_restored_after_an_error() -> None:
    module = nn.Linear(3, 2)
    before = module.weight

    def fail() -> None:
        assert module.weight is not before
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        with_parameters(module, {"weight": torch.zeros(2, 3)}, fail)
    assert module.weight is before
