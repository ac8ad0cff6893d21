"""Temporary files: named after the process that writes them, and removed when that is gone without having done so."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

__all__ = ["beside", "remove_left_overs", "temporary_prefix"]


def beside(path: Path) -> Path:
    """Return the name under which this process writes what will replace the file at `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def temporary_prefix(what: str) -> str:
    """Return the start of the name of a temporary folder of this process, such as ".writing-123-"."""
    return f".{what}-{os.getpid()}-"


def remove_left_overs(folder: Path, *, files: str = "", folders: str = "") -> None:
    """Remove what processes that are gone have left in a folder; what cannot be removed stays.

    Args:
        folder: need not exist.
        files: a pattern (fnmatch) of the names of files written with `beside`, such as "*.ckpt".
        folders: what was given to `temporary_prefix`.
    """
    found = [(path, re.compile(r".*\.(\d+)$")) for path in folder.glob(f".{files}.*")] if files else []
    if folders:
        found += [(path, re.compile(r".*?-(\d+)-")) for path in folder.glob(f".{folders}-*")]
    for path, pattern in found:
        match = pattern.match(path.name)
        if match is None or _lives(int(match[1])):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def _lives(process: int) -> bool:
    """Whether a process other than this one has this id, be it ours or another user's."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
