"""Atomic writes: a file or a folder gets its name when it is complete; what killed processes left behind is removed.

Temporary names contain the id of the process that writes, so that others can tell whether it is still running.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "complete_folder",
    "error_for",
    "remove_stale",
    "replacing",
    "resumable_folder",
    "sync",
    "temporary_path",
    "temporary_prefix",
    "write_atomically",
]

_UNFINISHED = "unfinished"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file completely or not at all, text as UTF-8 with its own line ends; missing folders are created.

    Raises:
        OSError: the file cannot be written; the previous file at `path` is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; the file written there replaces `path` at the end, or is removed after an exception.

    Raises:
        OSError: the file cannot be written; the error names `path`.
    """
    temporary = temporary_path(path)
    remove_stale(path.parent, files=glob.escape(path.name))
    try:
        yield temporary
        # Synced before it is renamed: otherwise a crash could leave the new name without the contents.
        sync(temporary)
        temporary.replace(path)
    except OSError as error:
        raise error_for(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def complete_folder(path: Path, is_sound: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield an empty temporary folder, which is renamed to `path` at the end, or removed after an exception.

    Args:
        path: the final path, whose parent exists. A sound folder that another process put there first is kept; a
            damaged one is replaced.
        is_sound: whether a folder is undamaged.

    Raises:
        OSError: the folder cannot be written.
    """
    remove_stale(path.parent, folders=_UNFINISHED)
    with tempfile.TemporaryDirectory(prefix=temporary_prefix(_UNFINISHED), dir=path.parent) as name:
        unfinished = Path(name) / "complete"
        unfinished.mkdir()
        yield unfinished
        while True:
            try:
                unfinished.rename(path)
            except OSError:
                if not path.exists():
                    raise
                if is_sound(path):
                    return
                with contextlib.suppress(FileNotFoundError):  # another process has moved it
                    path.rename(Path(name) / "damaged")  # removed with the temporary folder
            else:
                return


@contextmanager
def resumable_folder(path: Path, progress: str) -> Iterator[Path]:
    """Yield a folder for work that can be resumed; it is removed at the end, or after an exception without progress.

    Args:
        path: of the folder, whose parent exists. What an earlier process left there is kept.
        progress: name of the file that says what is complete.

    Raises:
        OSError: the folder cannot be created.
    """
    path.mkdir(exist_ok=True)
    try:
        yield path
    except BaseException:
        if not (path / progress).exists():
            shutil.rmtree(path, ignore_errors=True)
        raise
    shutil.rmtree(path, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until the contents of a file are on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def error_for(path: Path, error: OSError) -> OSError:
    """Return the same error for `path`, the file that the user knows, instead of a temporary one."""
    return OSError(error.errno or errno.EIO, error.strerror or str(error), str(path))


def temporary_path(path: Path) -> Path:
    """Return the path at which this process writes the file that will replace `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def temporary_prefix(purpose: str) -> str:
    """Return the beginning of the names of this process's temporary folders, such as ".writing-123-"."""
    return f".{purpose}-{os.getpid()}-"


def remove_stale(folder: Path, *, files: str = "", folders: str = "") -> None:
    """Remove temporary files of processes that no longer run; those that cannot be removed stay.

    Args:
        folder: need not exist.
        files: pattern (fnmatch) of the names of the files that were to be replaced, such as "*.ckpt".
        folders: purpose that was given to `temporary_prefix`.
    """
    candidates = [(path, re.compile(r".*\.(\d+)$")) for path in folder.glob(f".{files}.*")] if files else []
    if folders:
        candidates += [(path, re.compile(r".*?-(\d+)-")) for path in folder.glob(f".{folders}-*")]
    for path, pattern in candidates:
        match = pattern.match(path.name)
        if match is None or _is_running(int(match[1])):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def _is_running(process: int) -> bool:
    """Whether a process other than this one has this id, whichever user it belongs to."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
