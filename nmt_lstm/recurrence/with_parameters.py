"""Calling a function with different tensors in place of a module's parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

__all__ = ["with_parameters"]

Result = TypeVar("Result")


class _Caller(nn.Module):
    """A module whose `forward` calls any function, because `torch.func.functional_call` calls modules."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, function: Callable[[], Any]) -> Any:
        return function()


def with_parameters(
    module: nn.Module, parameters: Mapping[str, Tensor], function: Callable[[], Result]
) -> Result:
    """Return the result of `function`, called while tensors replace some of a module's parameters.

    Args:
        module: its parameters are replaced while `function` runs, and restored afterwards.
        parameters: tensors by parameter name, each of the parameter's shape; gradients flow through them. Other
            parameters stay.
        function: usually ``lambda: module(...)``.
    """
    own = dict(module.named_parameters())
    if all(own[name] is tensor for name, tensor in parameters.items()):
        return function()
    renamed = {f"module.{name}": tensor for name, tensor in parameters.items()}
    result: Result = torch.func.functional_call(_Caller(module), renamed, (function,))
    return result
