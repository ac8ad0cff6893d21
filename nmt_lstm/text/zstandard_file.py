"""A .zst file read to its very end: all its frames, and an error where it was cut or damaged."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, cast

from nmt_lstm.errors import DataError
from nmt_lstm.extras import install_command

__all__ = ["LIBRARY", "ZSTANDARD_DAMAGE", "open_zstandard"]


def _library() -> ModuleType | None:
    # In the standard library from Python 3.14 on; the other is the same for earlier ones.
    for name in ("compression.zstd", "backports.zstd"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


LIBRARY = _library()
"""What reads these files; None if nothing is installed that does."""
ZSTANDARD_DAMAGE: type[Exception] = LIBRARY.ZstdError if LIBRARY else OSError
"""What reading a damaged file raises; a cut one raises EOFError."""


def open_zstandard(path: Path) -> BinaryIO:
    """Open a .zst file for reading bytes.

    Raises:
        DataError: no library for it is installed.
        OSError: the file cannot be opened.
    """
    if LIBRARY is None:
        raise DataError(f"Reading '{path}' needs the backports.zstd library: {install_command('zstd')}.")
    return cast(BinaryIO, LIBRARY.open(path, "rb"))
