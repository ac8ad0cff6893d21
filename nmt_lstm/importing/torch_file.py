"""Checkpoints that PyTorch pickled, read by its restricted unpickler: nothing in them can run code."""

from __future__ import annotations

import argparse
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from nmt_lstm.files.checksums import damaged_member
from nmt_lstm.files.regular import open_regular
from nmt_lstm.importing.errors import DamagedSourceError, UnsafeFileError

__all__ = ["read_torch_file"]

# Containers of plain values: building them runs no code of the file. numpy's are those of a scalar, such as a score.
_SCALAR = cast(Callable[..., Any], np.float64(0).__reduce__()[0])
_ZIP = b"PK\x03\x04"  # begins the files of torch.save
SAFE_GLOBALS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    argparse.Namespace,
    np.dtype,
    *(type(np.dtype(name)) for name in ("float64", "float32", "int64", "int32", "bool")),
    # numpy 1 and 2 name it differently.
    (_SCALAR, "numpy._core.multiarray.scalar"),
    (_SCALAR, "numpy.core.multiarray.scalar"),
]


def read_torch_file(path: Path) -> dict[str, Any]:
    """Return the content of a file of `torch.save`, on the processor.

    Raises:
        DamagedSourceError: the file cannot be read, or holds something else than a dictionary.
        UnsafeFileError: it names objects that are not plain values; reading them could run code.
    """
    _check_archive(path)
    try:
        # torch warns about pickles of other protocols, which it then refuses.
        with torch.serialization.safe_globals(SAFE_GLOBALS), warnings.catch_warnings(action="ignore"):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as problem:
        raise _unreadable(path, problem) from None
    except pickle.UnpicklingError as problem:
        names = unsafe_names(path)
        if names:
            raise UnsafeFileError(
                f"'{path}' names objects that could run code ({', '.join(names[:5])}); it was not read. Save the weights and "
                f"options again with its own toolkit, without them.",
                path=path,
                known=names,
            ) from None
        raise _damaged(path) from problem
    except MemoryError:
        raise
    except Exception as problem:  # a damaged file makes the restricted unpickler raise any
        raise _damaged(path) from problem
    if not isinstance(content, dict):
        raise DamagedSourceError(
            f"'{path}' holds a {type(content).__name__}, not the dictionary of a checkpoint.", path=path
        )
    return content


def _check_archive(path: Path) -> None:
    """Raise DamagedSourceError if the file is missing, a folder or a pipe, or does not match its own checksums."""
    try:
        member = damaged_member(path)
    except OSError as problem:
        raise _unreadable(path, problem) from None
    if member:
        raise DamagedSourceError(
            f"'{path}' is damaged: the checksum of {member} does not match; copy it again.", path=path
        )


def unsafe_names(path: Path) -> list[str]:
    """Return the names in a file of `torch.save` that its restricted unpickler refuses; none if they cannot be told."""
    with torch.serialization.safe_globals(SAFE_GLOBALS):
        try:
            return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
        except Exception:  # noqa: BLE001 - the file may be damaged in any way
            return []


def _unreadable(path: Path, problem: OSError) -> DamagedSourceError:
    return DamagedSourceError(f"cannot read '{path}': {problem.strerror or problem}.", path=path)


def _damaged(path: Path) -> DamagedSourceError:
    # PyTorch's own messages speak of its parts, such as miniz, or only of a number.
    beginning = _beginning(path)
    problem = (
        "it is incomplete or damaged; copy or download it again"
        if beginning == _ZIP
        else "it is a different kind of file, or damaged"
    )
    return DamagedSourceError(f"'{path}' cannot be read as a checkpoint of PyTorch: {problem}.", path=path)


def _beginning(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read(len(_ZIP))
