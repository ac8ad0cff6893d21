"""Reading regular files only, up to a size: a pipe without a writer or an endless device must not block a command."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

__all__ = ["MAX_LIST_BYTES", "MAX_TEXT_BYTES", "open_regular", "read_regular"]

MAX_TEXT_BYTES = 16 << 20
"""Bytes of a file that describes something, such as a manifest or a run file."""
MAX_LIST_BYTES = 1 << 30
"""Bytes of a file that grows with use, such as the rows of a board."""


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading bytes; links are followed.

    Raises:
        OSError: the path is missing, unreadable, a folder, a pipe or a device; `strerror` says which.
    """
    # Without O_NONBLOCK, opening a pipe waits until another process writes to it.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is a pipe or a device, not a regular file", str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(handle)


def read_regular(path: Path, limit: int = MAX_TEXT_BYTES) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises:
        OSError: as for `open_regular`, or the file is larger.
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit >> 20:,} MiB", str(path))
    return content
