"""What the commands say on stderr: notes, warnings, errors and small tables."""

from __future__ import annotations

import logging
import shlex
import sys
from pathlib import Path

from nmt_lstm.plain_text import printable

__all__ = ["count_of", "note", "quoted", "say", "show_log"]


def note(text: str = "") -> None:
    """Write a line for the person at the terminal; stdout stays clean for results."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def say(text: str) -> None:
    """Write a result for people on stdout; text from outside cannot control the terminal.

    Characters that the terminal's encoding lacks are written as escapes.
    """
    line = printable(text) + "\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding))


def quoted(path: Path) -> str:
    """Return a path as one would type it in a shell."""
    return shlex.quote(str(path))


def count_of(number: int, noun: str) -> str:
    """Return "1 thread", "2 threads"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class _StderrHandler(logging.Handler):
    """Writes to the sys.stderr of the moment, so that a progress bar which replaces it stays whole."""

    def emit(self, record: logging.LogRecord) -> None:
        level = f"nmt-lstm: {record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        sys.stderr.write(printable(f"{level}{record.getMessage()}") + "\n")


def show_log(*, errors_only: bool = False) -> None:
    """Show the package's log on stderr; of processes that a run starts beside the first, errors only."""
    logger = logging.getLogger("nmt_lstm")
    logger.setLevel(logging.ERROR if errors_only else logging.INFO)
    logger.propagate = False
    logger.handlers[:] = [_StderrHandler()]
