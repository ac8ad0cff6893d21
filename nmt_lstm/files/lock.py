"""Folders and files held against other processes, alone or shared by readers; the system frees what a dead holder held.

All of it is `flock`. The locks of the filelock package need a file of their own, which stays behind, and its shared
ones a database: a board in a folder that cannot be written could not be read. These hold the folder or the open file
itself. A file system without locks protects nothing, and then everything runs all the same, so the callers stay correct
without: a lock saves work done twice and spares others a look at what is half done.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nmt_lstm.errors import ResourceError

__all__ = ["HeldError", "check_free", "held_file", "locked", "only_one"]

# Those who only look hold a lock file for a moment too.
_TRIES = 3
_SECONDS_BETWEEN_TRIES = 0.05


class HeldError(Exception):
    """Another process holds a lock file."""

    def __init__(self, path: Path, process: int | None) -> None:
        super().__init__(f"'{path}' is held by {f'process {process}' if process else 'another process'}")
        self.path = path
        self.process = process
        """Its process id; None if it has not written it yet."""


@contextmanager
def locked(
    target: Path | int, on_held: Callable[[], None] = lambda: None, *, shared: bool = False
) -> Iterator[None]:
    """Hold a folder or an open file for the length of the block.

    Args:
        target: an existing folder, or the descriptor of an open file, which the caller closes.
        on_held: called when others hold it. If it returns, they are waited for; to give up, it raises.
        shared: keep out those who do not share it, and nobody else.

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
def only_one(command: str, folder: Path) -> Iterator[None]:
    """Make a folder if there is none, and keep other processes of the same command out of it.

    Args:
        command: what is at work there, such as "nmt-lstm probe".
        folder: its path.

    Raises:
        ResourceError: another process is at work in it, or the folder cannot be made or opened.
    """

    def refuse() -> None:
        raise ResourceError(
            f"another {command} is at work in '{folder}'; wait for it, or choose another folder with -o."
        )

    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder, refuse))
        except OSError as problem:
            raise ResourceError(
                f"cannot make or open the folder '{folder}' ({problem.strerror}); choose another with -o."
            ) from problem
        yield


@contextmanager
def held_file(path: Path) -> Iterator[None]:
    """Hold a lock file that names this process and exists only for the length of the block; links are not followed.

    Raises:
        HeldError: another process holds it.
        OSError: it cannot be made.
    """
    handle = _open_held(path)
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        # Before it is let go: afterwards the file may be that of the next process.
        path.unlink(missing_ok=True)
        os.close(handle)


def check_free(path: Path) -> None:
    """Raise HeldError if a process holds the lock file at `path`; to hold it, call `held_file`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:  # there is none; or it is for `held_file` to complain
        return
    try:
        if not _try_lock(handle, shared=True):
            raise HeldError(path, _process(handle))
    finally:
        os.close(handle)


def _mode(*, shared: bool) -> int:
    return fcntl.LOCK_SH if shared else fcntl.LOCK_EX


def _try_lock(handle: int, *, shared: bool = False) -> bool:
    """Take the lock without waiting and return whether nobody else has it; also True where there are no locks."""
    try:
        fcntl.flock(handle, _mode(shared=shared) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _open_held(path: Path) -> int:
    """Return an open lock file that is ours and still in its place."""
    tries = 0
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        if not _try_lock(handle):
            process = _process(handle)
            os.close(handle)
            tries += 1
            if tries == _TRIES:
                raise HeldError(path, process)
            time.sleep(_SECONDS_BETWEEN_TRIES)
        # The one who held it may have removed the file between our opening and locking it.
        elif path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
            return handle
        else:
            os.close(handle)


def _process(handle: int) -> int | None:
    text = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else None
