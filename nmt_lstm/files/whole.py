"""Writing a file whole or not at all; what goes wrong is told of the file that the user knows, not of a temporary one."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nmt_lstm.files.left_overs import beside, remove_left_overs

__all__ = ["named", "replacing", "sync", "write_whole"]


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, text as UTF-8 with the line ends that it has; its folder is made as well.

    Raises:
        OSError: it cannot be written; what was at `path` is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as written:
        written.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` for a file that takes its place at the end, or vanishes if something goes wrong.

    What processes that were killed have left of the same file is removed.

    Raises:
        OSError: the file cannot be written; it names `path`.
    """
    written = beside(path)
    remove_left_overs(path.parent, files=glob.escape(path.name))
    try:
        yield written
        # On the disk before it gets its name: a rename must not overtake the contents.
        sync(written)
        written.replace(path)
    except OSError as problem:
        raise named(problem, path) from problem
    finally:
        written.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until the contents of a file are on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def named(problem: OSError, path: Path) -> OSError:
    """Return the same error of `path`, for work on temporary files that stand in for it."""
    return OSError(problem.errno or errno.EIO, problem.strerror or str(problem), str(path))
