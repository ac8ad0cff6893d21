"""The mean of several checkpoints of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from nmt_lstm.errors import ModelFolderError

__all__ = ["average_states"]


def average_states(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each parameter over state dictionaries, summed in float64, in the types of the first.

    Integer tensors (counters) are taken from the last state. Weights that share memory in the first state (tied
    embeddings) also share it in the result.

    Args:
        states: at least one, all with the same names and shapes; they are not changed.

    Raises:
        ModelFolderError: there are no states, or they belong to different models.
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
                f"checkpoint {number} of {len(states)} belongs to a different model: '{differing[0]}' is missing or differs in "
                f"shape; average checkpoints of one training run."
            )
    averaged: dict[str, Tensor] = {}
    names: dict[tuple[int, torch.Size, tuple[int, ...]], str] = {}  # by the memory of the tensor
    for name, tensor in first.items():
        twin = names.setdefault((tensor.data_ptr(), tensor.shape, tensor.stride()), name)
        if twin != name and tensor.numel() > 0:
            averaged[name] = averaged[twin]
        elif tensor.is_floating_point():
            # float64, since sums of bf16 weights would lose digits.
            total = tensor.detach().to("cpu", torch.float64, copy=True)
            for state in states[1:]:
                total += state[name].detach().to("cpu", torch.float64)
            averaged[name] = (total / len(states)).to(tensor.dtype)
        else:
            averaged[name] = states[-1][name].detach().cpu().clone()
    return averaged
