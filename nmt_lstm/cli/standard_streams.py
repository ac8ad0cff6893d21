"""Standard streams that are closed, full or no longer read: one line and a status, never a traceback."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, NoReturn

from nmt_lstm.errors import DataError

__all__ = ["check_stdin", "discard_output", "open_standard_streams", "write_stderr"]


class _ClosedInput(io.RawIOBase):
    """Stands for a stdin that the caller has closed."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> NoReturn:
        raise DataError("stdin is closed, so there is nothing to read; name a file with -i, or pipe text in.")


class _ClosedOutput(io.RawIOBase):
    """Stands for a stdout that the caller has closed."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> NoReturn:
        raise OSError(errno.EBADF, "stdout is closed, so the result cannot be written; leave it open")


def open_standard_streams() -> None:
    """Give the program its three streams where the caller has closed some of them (``<&-``, ``>&-``, ``2>&-``).

    Python then has None in their place, and the next file that is opened would take the number of the closed one:
    what a library prints would be written into it.
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
    """Return a text stream whose failures belong to the line that is written, not to the end of the program."""
    return io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", write_through=True)


def check_stdin() -> None:
    """Refuse a stdin that is closed, before anything is loaded for its text.

    Raises:
        DataError: it is closed.
    """
    raw = getattr(sys.stdin.buffer, "raw", None)
    if isinstance(raw, _ClosedInput):
        raw.readinto(b"")


def discard_output() -> None:
    """Have what stdout still holds vanish: Python flushes once more at exit, and would complain again."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):  # no file is behind it
        sys.stdout = _unbuffered(io.FileIO(os.open(os.devnull, os.O_WRONLY), "w"))
    else:
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def write_stderr(text: str) -> None:
    """Write text to stderr as far as that takes it: that it does not could be said nowhere."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        pass
