"""One operator that was run, and the places of the values that it took and made."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from torch import Tensor

__all__ = ["Call", "Place", "place_of", "tensors_in"]

# Where values are. No memory is given back while a tape is recorded, so this names them.
Place: TypeAlias = tuple[Any, ...]


class Call(NamedTuple):
    """One operator that was run."""

    operator: Any
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    takes: tuple[Place, ...]
    """The places of all tensors among the arguments."""
    makes: tuple[Place | None, ...]
    """The places of the results; None for results that were not asked for."""
    kind: Literal["new", "view", "in place"]
    """Whether the results are new values, other views of the arguments' memory, or changed arguments."""


def place_of(tensor: Tensor) -> Place:
    """Return what names a tensor's values: address, shape, strides, dtype and device."""
    return (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.device)


def tensors_in(tree: Any) -> list[Tensor]:
    """Return the tensors in nested arguments, in order."""
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, (tuple, list)):
        return []
    return [tensor for part in tree for tensor in tensors_in(part)]
