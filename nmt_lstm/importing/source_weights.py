"""The weights of a model of another toolkit, of which each must be understood."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from nmt_lstm.importing.errors import DamagedSourceError, UnsupportedModelError, UnsupportedOption

__all__ = ["SourceWeights"]


class SourceWeights:
    """Takes tensors by name, with their shapes checked, and knows which of them nobody has taken.

    Args:
        tensors: by name.
        path: the file that has them.
        toolkit: its name, for messages.
    """

    def __init__(self, tensors: Mapping[str, Tensor], *, path: Path, toolkit: str) -> None:
        self._tensors = tensors
        self._path = path
        self._toolkit = toolkit
        self._taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        """Whether there is a tensor of this name."""
        return name in self._tensors

    def size(self, name: str, dimension: int) -> int:
        """Return a size of a tensor.

        Raises:
            DamagedSourceError: there is no such tensor, or it has fewer dimensions.
        """
        tensor = self._tensors.get(name)
        if tensor is None or tensor.dim() <= dimension:
            raise self._error(
                name, "is missing" if tensor is None else f"has the shape {tuple(tensor.shape)}"
            )
        return tensor.shape[dimension]

    def take(self, name: str, *shape: int) -> Tensor:
        """Return a tensor of this shape, in float32.

        Raises:
            DamagedSourceError: there is no such tensor, or it has a different shape.
        """
        tensor = self._tensors.get(name)
        if tensor is None:
            raise self._error(name, "is missing")
        if tuple(tensor.shape) != shape:
            raise self._error(name, f"has the shape {tuple(tensor.shape)} instead of {shape}")
        self._taken.add(name)
        return tensor.detach().to(torch.float32).contiguous()

    def ignore(self, *prefixes: str) -> None:
        """Do without all tensors whose names begin so."""
        self._taken.update(name for name in self._tensors if name.startswith(prefixes))

    def check(self) -> None:
        """Raise UnsupportedModelError if there are tensors that were not taken: their part of the network is unknown."""
        left = sorted(set(self._tensors) - self._taken)
        if left:
            problem = UnsupportedOption(
                "weights",
                ", ".join(left[:5]) + (" ..." if len(left) > 5 else ""),
                "a part that this importer knows",
            )
            raise UnsupportedModelError(self._toolkit, [problem], path=self._path)

    def _error(self, name: str, problem: str) -> DamagedSourceError:
        return DamagedSourceError(
            f"'{self._path}': the tensor {name} {problem}, which does not fit the model's options; is the file complete?",
            path=self._path,
            key=name,
        )
