"""Weights in a safetensors file: no code is run by reading it, and shared tensors are stored once."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nmt_lstm.errors import ModelFolderError
from nmt_lstm.files.parsing import parse_json

__all__ = ["load_weights", "save_weights"]

SHARED = (
    "shared"  # metadata key: JSON object from each name that is not stored to the name that holds its values
)


def save_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state dictionary; tensors of equal values (tied weights) are stored once.

    Raises:
        OSError: the file cannot be written, such as on a full disk.
    """
    stored: dict[str, Tensor] = {}
    shared: dict[str, str] = {}
    for name, tensor in state.items():
        values = tensor.detach().cpu().contiguous()
        twin = next((other for other, known in stored.items() if _same(values, known)), None)
        if twin is None:
            stored[name] = values
        else:
            shared[name] = twin
    # Two names may still be views of one storage, which the format refuses.
    stored = {name: tensor.clone() for name, tensor in stored.items()}
    # The library replaces the file with a private one; whoever may read the rest of a model folder may read this.
    path.touch()
    mode = path.stat().st_mode
    try:
        save_file(stored, path, metadata={SHARED: json.dumps(shared)})
    except SafetensorError as problem:
        # The library has the number of the system's error in its text alone.
        number = re.search(r"os error (\d+)", str(problem))
        code = int(number[1]) if number else errno.EIO
        raise OSError(code, os.strerror(code) if number else str(problem), str(path)) from problem
    path.chmod(mode)


def load_weights(path: Path, device: torch.device) -> dict[str, Tensor]:
    """Read what `save_weights` wrote.

    Raises:
        ModelFolderError: the file is not a safetensors file, or not one of ours.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            shared: dict[str, str] = parse_json((file.metadata() or {}).get(SHARED, "{}"))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        state.update({name: state[twin] for name, twin in shared.items()})
    except (SafetensorError, KeyError, ValueError, AttributeError, TypeError) as problem:
        raise ModelFolderError(
            f"'{path}' holds no weights that can be read ({problem}); copy or train the model again."
        ) from problem
    return state


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)
