"""Calling a function while a module's parameters are others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

__all__ = ["with_parameters"]

Result = TypeVar("Result")


class _Caller(nn.Module):
    """A module whose forward is any function, so that `torch.func.functional_call` runs it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, function: Callable[[], Any]) -> Any:
        return function()


def with_parameters(
    module: nn.Module, parameters: Mapping[str, Tensor], function: Callable[[], Result]
) -> Result:
    """Return what `function` returns while a module has other tensors in place of its parameters.

    Args:
        module: whose parameters are replaced while `function` runs; it is left as it was.
        parameters: by the parameter's name, a tensor of its shape; gradients flow to what it was made of. Parameters
            that are not named stay.
        function: usually ``lambda: module(...)``.
    """
    own = dict(module.named_parameters())
    if all(own[name] is tensor for name, tensor in parameters.items()):
        return function()
    renamed = {f"module.{name}": tensor for name, tensor in parameters.items()}
    result: Result = torch.func.functional_call(_Caller(module), renamed, (function,))
    return result
