"""Reading .zst files to the end: all frames, and an error if the file is truncated or damaged; and writing them."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, cast

from nmt_lstm.errors import DataError
from nmt_lstm.extras import install_command

__all__ = ["LIBRARY", "ZSTANDARD_DAMAGE", "create_zstandard", "open_zstandard", "require_library"]


def _library() -> ModuleType | None:
    # The standard library of Python 3.14, or its backport for earlier versions.
    for name in ("compression.zstd", "backports.zstd"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


LIBRARY = _library()
"""The module that reads these files; None if none is installed."""
ZSTANDARD_DAMAGE: type[Exception] = LIBRARY.ZstdError if LIBRARY else OSError
"""The exception for a damaged file; a truncated one raises EOFError."""


def open_zstandard(path: Path) -> BinaryIO:
    """Open a .zst file for reading bytes.

    Raises:
        DataError: no library for these files is installed.
        OSError: the file cannot be opened.
    """
    return cast(BinaryIO, require_library(path, "reading").open(path, "rb"))


def create_zstandard(path: Path) -> BinaryIO:
    """Open a .zst file for writing bytes, with a checksum, which the format allows to leave out.

    Raises:
        DataError: no library for these files is installed.
        OSError: the file cannot be opened.
    """
    library = require_library(path, "writing")
    options = {library.CompressionParameter.checksum_flag: 1}
    return cast(BinaryIO, library.open(path, "wb", options=options))


def require_library(path: Path, action: str) -> ModuleType:
    """Return the library.

    Args:
        path: the file that needs it, for errors.
        action: "reading" or "writing".

    Raises:
        DataError: none is installed.
    """
    if LIBRARY is None:
        raise DataError(
            f"{action} '{path}' requires the backports.zstd library: {install_command('zstd')}.", path=path
        )
    return LIBRARY
