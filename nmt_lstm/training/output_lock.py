"""One training at a time in an output folder: a lock that the system takes back from a process that dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nmt_lstm.checkpoint.folder_files import LOCK
from nmt_lstm.errors import ResourceError

__all__ = ["FolderInUseError", "check_not_held", "held_by_this_run"]


# Those who only look hold it for a moment too.
_TRIES = 3
_SECONDS_BETWEEN_TRIES = 0.05


class FolderInUseError(ResourceError):
    """Another training writes into the output folder."""

    def __init__(self, folder: Path, process: int | None) -> None:
        who = f"process {process}" if process else "another process"
        super().__init__(
            f"{who} is training into '{folder}'; wait until it ends, stop it, or choose another folder with -o."
        )
        self.folder = folder
        self.process = process
        """Its process id; None if it has not said so yet."""


def check_not_held(folder: Path) -> None:
    """Refuse a folder that a process holds; to hold it, call `held_by_this_run`.

    Raises:
        FolderInUseError: a process holds it.
    """
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:  # there is none; or it is for `held_by_this_run` to complain
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUseError(folder, _process(handle)) from None
    except OSError:  # no locks here
        pass
    finally:
        os.close(handle)


@contextmanager
def held_by_this_run(folder: Path) -> Iterator[None]:
    """Hold an existing folder as long as a with statement lasts; only the first process of a run needs to.

    Where the file system knows no locks, the folder is not protected.

    Raises:
        FolderInUseError: another process holds it.
        ResourceError: the lock cannot be made.
    """
    path = folder / LOCK
    try:
        handle = _lock(path)
    except OSError as problem:
        raise ResourceError(
            f"cannot write into the output folder '{folder}' ({problem.strerror}); choose another with -o."
        ) from problem
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        # Before it is let go: afterwards the file may be that of the next run.
        path.unlink(missing_ok=True)
        os.close(handle)


def _lock(path: Path) -> int:
    """Return an open lock file that is ours and still in its place."""
    patience = _TRIES
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = _process(handle)
            os.close(handle)
            patience -= 1
            if not patience:
                raise FolderInUseError(path.parent, process) from None
            time.sleep(_SECONDS_BETWEEN_TRIES)
            continue
        except OSError:
            return handle  # no locks here
        # The one who held it may have removed the file between our opening and locking it.
        if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
            return handle
        os.close(handle)


def _process(handle: int) -> int | None:
    text = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else None
