"""One training at a time in an output folder, and a refusal that names the process which is at work there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nmt_lstm.checkpoint.folder_files import LOCK
from nmt_lstm.errors import FolderInUseError, ResourceError
from nmt_lstm.files.lock import HeldError, check_free, lock_file

__all__ = ["check_not_held", "held_by_this_run"]


def check_not_held(folder: Path) -> None:
    """Refuse a folder that a process holds; to hold it, call `held_by_this_run`.

    Raises:
        FolderInUseError: a process holds it.
    """
    try:
        check_free(folder / LOCK)
    except HeldError as held:
        raise FolderInUseError(folder, held.process) from None


@contextmanager
def held_by_this_run(folder: Path) -> Iterator[None]:
    """Hold an existing folder as long as a with statement lasts; only the first process of a run needs to.

    Where the file system knows no locks, the folder is not protected.

    Raises:
        FolderInUseError: another process holds it.
        ResourceError: the lock cannot be made.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_file(folder / LOCK))
        except HeldError as held:
            raise FolderInUseError(folder, held.process) from None
        except OSError as problem:
            raise ResourceError(
                f"cannot write into the output folder '{folder}' ({problem.strerror}); choose another with -o."
            ) from problem
        yield
