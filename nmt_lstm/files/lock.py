"""One process at a time: a lock on a folder, which the system takes back from a process that dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["locked"]


@contextlib.contextmanager
def locked(folder: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold an existing folder for the length of the block; no file is written for it.

    Where the file system knows no locks the block runs all the same, so it must stay correct without: the lock saves
    work done twice and spares others a look at what is half done.

    Args:
        folder: what is held; other processes and threads that ask for it wait.
        on_wait: told when another one holds it.

    Raises:
        OSError: the folder cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(handle)
