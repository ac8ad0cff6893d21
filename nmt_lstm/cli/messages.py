"""What the commands write for people: notes and the package's log on stderr, results on stdout."""

from __future__ import annotations

import logging
import shlex
import sys
from pathlib import Path

from nmt_lstm.plain_text import printable

__all__ = ["note", "quoted", "say", "show_log"]


def note(text: str = "") -> None:
    """Write a line to stderr, so that stdout has nothing but results."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def say(text: str) -> None:
    """Write a result for people to stdout; text from files cannot control the terminal.

    Characters that the terminal's encoding lacks are written as escapes.
    """
    line = printable(text) + "\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding))


def quoted(path: Path) -> str:
    """Return a path as it is typed in a shell."""
    return shlex.quote(str(path))


class _StderrHandler(logging.Handler):
    """Writes to the current sys.stderr, which a progress bar replaces while it is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        level = f"nmt-lstm: {record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        sys.stderr.write(printable(f"{level}{record.getMessage()}") + "\n")


def show_log(*, errors_only: bool = False) -> None:
    """Write the package's log to stderr.

    Args:
        errors_only: for all processes of a run but the first, which would repeat its messages.
    """
    logger = logging.getLogger("nmt_lstm")
    logger.setLevel(logging.ERROR if errors_only else logging.INFO)
    logger.propagate = False
    logger.handlers[:] = [_StderrHandler()]
