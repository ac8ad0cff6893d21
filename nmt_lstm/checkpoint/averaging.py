"""The mean of several checkpoints of one training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from nmt_lstm.errors import ModelFolderError

__all__ = ["average_states"]


def average_states(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the parameter-wise mean of state dictionaries, summed in float64 and given in the first one's types.

    Whole-number tensors (counters) are taken from the last. Weights that share memory in the first state
    (tied embeddings) share it in the result.

    Args:
        states: at least one, all of the same names and shapes; none is changed.

    Raises:
        ModelFolderError: there is none, or they belong to different models.
    """
    if not states:
        raise ModelFolderError("there are no checkpoints to average; give at least one.")
    first = states[0]
    for number, state in enumerate(states[1:], start=2):
        differing = sorted(set(first) ^ set(state)) or [
            name for name in first if first[name].shape != state[name].shape
        ]
        if differing:
            raise ModelFolderError(
                f"checkpoint {number} of {len(states)} is of another model: '{differing[0]}' differs in presence or "
                f"shape; average checkpoints of one training."
            )
    averaged: dict[str, Tensor] = {}
    places: dict[tuple[int, torch.Size, tuple[int, ...]], str] = {}
    for name, tensor in first.items():
        place = (tensor.data_ptr(), tensor.shape, tensor.stride())
        twin = places.setdefault(place, name)
        if twin != name and tensor.numel() > 0:
            averaged[name] = averaged[twin]
        elif tensor.is_floating_point():
            total = tensor.detach().to("cpu", torch.float64, copy=True)
            for state in states[1:]:
                total += state[name].detach().to("cpu", torch.float64)
            averaged[name] = (total / len(states)).to(tensor.dtype)
        else:
            averaged[name] = states[-1][name].detach().cpu().clone()
    return averaged
