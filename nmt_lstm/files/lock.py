"""Locks on folders and files, exclusive or shared by readers; the system releases them when their process ends.

They all use `flock` on the folder or the open file itself. The filelock package would need a separate file, which stays
behind, and a database for shared locks, so a board in a read-only folder could not be read. On a file system without
locks they have no effect. Callers stay correct without them: a lock only prevents doing work twice and reading what is
half written.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["HeldError", "check_free", "lock_file", "locked"]

# `check_free` holds a lock file for a moment, too.
_TRIES = 3
_SECONDS_BETWEEN_TRIES = 0.05


class HeldError(Exception):
    """Another process holds a lock file.

    Args:
        path: the lock file.
        process: id of the process; None if it has not written it yet.
    """

    def __init__(self, path: Path, process: int | None) -> None:
        super().__init__(f"'{path}' is held by {f'process {process}' if process else 'another process'}")
        self.path = path
        self.process = process


@contextmanager
def locked(
    target: Path | int, on_held: Callable[[], None] = lambda: None, *, shared: bool = False
) -> Iterator[None]:
    """Lock a folder or an open file for the duration of the block.

    Args:
        target: an existing folder, or the descriptor of an open file, which the caller closes.
        on_held: called if another process holds the lock. To give up, it raises; if it returns, the lock is awaited.
        shared: let other shared locks in, and keep out exclusive ones only.

    Raises:
        OSError: the folder cannot be opened.
    """
    handle = target if isinstance(target, int) else os.open(target, os.O_RDONLY)
    try:
        if not _try_lock(handle, shared=shared):
            on_held()
            with contextlib.suppress(OSError):
                fcntl.flock(handle, _mode(shared=shared))
        yield
    finally:
        if handle != target:
            os.close(handle)
        else:
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold a lock file that contains the id of this process, for the duration of the block; links are not followed.

    Raises:
        HeldError: another process holds it.
        OSError: it cannot be created.
    """
    handle = _open_locked(path)
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        # Removed before it is released: afterwards it may be the lock file of the next process.
        path.unlink(missing_ok=True)
        os.close(handle)


def check_free(path: Path) -> None:
    """Raise HeldError if a process holds the lock file at `path`; to hold it, call `lock_file`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:  # missing, or unusable, which `lock_file` reports
        return
    try:
        if not _try_lock(handle, shared=True):
            raise HeldError(path, _process_id(handle))
    finally:
        os.close(handle)


def _mode(*, shared: bool) -> int:
    return fcntl.LOCK_SH if shared else fcntl.LOCK_EX


def _try_lock(handle: int, *, shared: bool = False) -> bool:
    """Take the lock without waiting; False if another process holds it. True on file systems without locks."""
    try:
        fcntl.flock(handle, _mode(shared=shared) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _open_locked(path: Path) -> int:
    """Return the descriptor of the lock file once this process holds it and the path still leads to it."""
    tries = 0
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        if not _try_lock(handle):
            process = _process_id(handle)
            os.close(handle)
            tries += 1
            if tries == _TRIES:
                raise HeldError(path, process)
            time.sleep(_SECONDS_BETWEEN_TRIES)
        # Its holder may have removed the file after it was opened here and before it was locked.
        elif path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
            return handle
        else:
            os.close(handle)


def _process_id(handle: int) -> int | None:
    text = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else None
