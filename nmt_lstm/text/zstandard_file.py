"""A .zst file read to its very end: all its frames, and an error where it was cut."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from nmt_lstm.errors import DataError
from nmt_lstm.extras import install_command

__all__ = ["open_zstandard"]

# Compressed bytes at a time: four of them can stand for 128 KiB of text.
BLOCK = 1 << 9


def open_zstandard(path: Path) -> BinaryIO:
    """Open a .zst file for reading bytes.

    Raises:
        DataError: no library for it is installed.
        OSError: the file cannot be opened.
    """
    new_frame, failure = _library(path)
    return cast(BinaryIO, io.BufferedReader(_ZstandardFile(path, new_frame, failure)))


def _library(path: Path) -> tuple[Callable[[], Any], type[Exception]]:
    try:
        # In the standard library from Python 3.14 on.
        standard = importlib.import_module("compression.zstd")
        return standard.ZstdDecompressor, standard.ZstdError
    except ImportError:
        pass
    try:
        package = importlib.import_module("zstandard")
    except ImportError:
        raise DataError(f"Reading '{path}' needs the zstandard library: {install_command('zstd')}.") from None
    return lambda: package.ZstdDecompressor().decompressobj(), package.ZstdError


class _ZstandardFile(io.RawIOBase):
    """The uncompressed bytes. The readers of the libraries stop without a word after a first frame or at a cut."""

    def __init__(self, path: Path, new_frame: Callable[[], Any], failure: type[Exception]) -> None:
        self._file = path.open("rb")
        self._new_frame = new_frame
        self._failure = failure
        self._frame: Any = None
        self._compressed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._ready and self._advance():
            pass
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _advance(self) -> bool:
        """Decompress a block; False at the end of the file."""
        block = self._compressed or self._file.read(BLOCK)
        if not block:
            if self._frame is not None:
                raise EOFError("the compressed file was cut")
            return False
        if self._frame is None:
            self._frame = self._new_frame()
        try:
            self._ready = memoryview(self._frame.decompress(block))
        except self._failure as error:
            raise OSError(f"damaged compression ({error})") from None
        self._compressed = b""
        if self._frame.eof:
            self._compressed, self._frame = self._frame.unused_data, None
        return True
