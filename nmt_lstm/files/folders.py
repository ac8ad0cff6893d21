"""Folders that commands write into: one process at a time, and never among the files of another program."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nmt_lstm.errors import ResourceError
from nmt_lstm.files.lock import locked

__all__ = ["check_writable", "exclusive_folder", "foreign_names"]

_MAX_NAMES = 3


@contextmanager
def exclusive_folder(command: str, folder: Path) -> Iterator[None]:
    """Create a folder if it is missing, and keep other processes of the same command out of it.

    Args:
        command: the command that writes there, such as "nmt-lstm probe".
        folder: its path.

    Raises:
        ResourceError: another process of the command is using the folder, or it cannot be created or opened.
    """

    def refuse() -> None:
        raise ResourceError(
            f"another {command} is running in '{folder}'; wait until it ends, or choose another folder with -o."
        )

    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder, refuse))
        except OSError as error:
            raise ResourceError(
                f"cannot create or open the folder '{folder}' ({error.strerror}); choose another with -o."
            ) from error
        yield


def check_writable(folder: Path) -> None:
    """Check that a folder can be created, or be written into if it exists; it is not created, so no other process sees it.

    Permissions alone do not say it: /proc and read-only file systems refuse even the superuser.

    Raises:
        ResourceError: it cannot; also for a path that is too long.
    """
    action, place = "create", folder
    try:
        try:
            folder.stat()
            action = "write into"
        except FileNotFoundError:
            place = next(path for path in folder.absolute().parents if path.exists())
        # Names of a run's unfinished files begin so, too, so that a run that is checked at the same time ignores it.
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=place):
            pass
    except OSError as error:
        raise ResourceError(
            f"cannot {action} the output folder '{folder}' ({error.strerror}); choose a different one with -o."
        ) from error


def foreign_names(folder: Path, is_own: Callable[[str], bool] = lambda _: False) -> str:
    """Return the first names of a folder that nmt-lstm did not write, such as "a, b, c ..."; empty if there are none.

    Args:
        folder: need not exist.
        is_own: whether nmt-lstm writes a file or folder of this name.
    """
    if not folder.is_dir():
        return ""
    names = sorted(path.name for path in folder.iterdir() if not is_own(path.name))
    return ", ".join(names[:_MAX_NAMES]) + (" ..." if len(names) > _MAX_NAMES else "")
