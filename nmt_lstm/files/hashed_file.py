"""A file that is written in sequence, with its checksum, and that can be continued after an interruption."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

__all__ = ["HashedFile", "WrittenFile"]

BLOCK = 1 << 20


class WrittenFile(NamedTuple):
    """How much of a file is written."""

    size: int
    """In bytes."""
    sha256: str
    """Of the bytes so far, in hexadecimal."""


class HashedFile:
    """A file that is written in sequence, with its SHA-256; it can be continued.

    Args:
        path: of the file.
        written: what is kept of an existing file; by default, it is written from the beginning.

    Raises:
        OSError: it cannot be opened.
        ValueError: the existing file does not begin with what was written.
    """

    def __init__(self, path: Path, written: WrittenFile | None = None) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        if written is None:
            self._file: BinaryIO = path.open("wb")
            return
        self._file = path.open("r+b")
        while self._size < written.size and (block := self._file.read(min(BLOCK, written.size - self._size))):
            self._digest.update(block)
            self._size += len(block)
        if (self._size, self.sha256) != written:
            self._file.close()
            raise ValueError(f"'{path}' was changed")
        self._file.seek(self._size)
        self._file.truncate()

    @property
    def sha256(self) -> str:
        """The checksum of what is written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, content: bytes) -> None:
        """Append bytes."""
        self._file.write(content)
        self._digest.update(content)
        self._size += len(content)

    def written(self) -> WrittenFile:
        """Wait until all is on the disk, and return how much it is."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return WrittenFile(self._size, self.sha256)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
