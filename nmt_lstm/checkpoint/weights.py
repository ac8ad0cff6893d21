"""Weights in a safetensors file: reading it runs no code, and shared tensors are stored once."""

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

# Metadata key: a JSON object from each omitted name to the name whose values it shares.
SHARED = "shared"


def save_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state dictionary; tensors with equal values (tied weights) are stored once.

    Raises:
        OSError: the file cannot be written, for example because the disk is full.
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
    # The format does not allow two views of one storage.
    stored = {name: tensor.clone() for name, tensor in stored.items()}
    # The library replaces the file with a private one; its permissions must be those of the folder's other files.
    path.touch()
    mode = path.stat().st_mode
    try:
        save_file(stored, path, metadata={SHARED: json.dumps(shared)})
    except SafetensorError as problem:
        # The library gives the system's error number only in its message.
        number = re.search(r"os error (\d+)", str(problem))
        code = int(number[1]) if number else errno.EIO
        raise OSError(code, os.strerror(code) if number else str(problem), str(path)) from problem
    path.chmod(mode)


def load_weights(path: Path, device: torch.device) -> dict[str, Tensor]:
    """Read what `save_weights` wrote.

    Raises:
        ModelFolderError: the file is not a safetensors file, or was not written by `save_weights`.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            shared: dict[str, str] = parse_json((file.metadata() or {}).get(SHARED, "{}"))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        state.update({name: state[twin] for name, twin in shared.items()})
    except (SafetensorError, KeyError, ValueError, AttributeError, TypeError) as problem:
        raise ModelFolderError(
            f"'{path}' contains no readable weights ({problem}); copy or train the model again.", path=path
        ) from problem
    return state


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)
