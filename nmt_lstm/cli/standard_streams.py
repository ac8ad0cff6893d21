"""Standard streams that are closed, full or no longer read: one line and an exit status, never a traceback."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Any, NoReturn

from nmt_lstm.errors import DataError

__all__ = ["check_stdin", "discard_output", "open_standard_streams", "write_stderr"]


class _ClosedInput(io.RawIOBase):
    """Replaces a stdin that the caller has closed."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> NoReturn:
        raise DataError("stdin is closed, so there is nothing to read; name a file with -i, or pipe text in.")


class _ClosedOutput(io.RawIOBase):
    """Replaces a stdout that the caller has closed."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> NoReturn:
        raise OSError(errno.EBADF, "stdout is closed, so the result cannot be written; leave it open")


def open_standard_streams() -> None:
    """Replace the standard streams that the caller has closed (``<&-``, ``>&-``, ``2>&-``), which are None in Python.

    The next file to be opened would get the number of a closed stream, and output that a library writes to that number
    would end up in the file.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(_ClosedInput()), encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = _unbuffered(_ClosedOutput())
    if sys.stderr is None:
        sys.stderr = _unbuffered(io.FileIO(2, "w", closefd=False))


def _unbuffered(stream: Any) -> io.TextIOWrapper:
    """Return a text stream that raises at the write that fails, not at the exit of the program."""
    return io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", write_through=True)


def check_stdin() -> None:
    """Check that stdin is open, before a model is loaded for its text.

    Raises:
        DataError: stdin is closed.
    """
    raw = getattr(sys.stdin.buffer, "raw", None)
    if isinstance(raw, _ClosedInput):
        raw.readinto(b"")


def discard_output() -> None:
    """Discard what stdout has buffered: Python flushes once more at exit, and would report the same error again."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):  # stdout is not a file
        sys.stdout = _unbuffered(io.FileIO(os.open(os.devnull, os.O_WRONLY), "w"))
    else:
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def write_stderr(text: str) -> None:
    """Write to stderr. A failure is ignored, since it could not be reported."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
