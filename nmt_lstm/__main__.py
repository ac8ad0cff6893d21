"""The command line: ``nmt-lstm``, and ``python -m nmt_lstm``."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

__all__ = ["main"]

INTERRUPTED = 130


def main() -> int:
    """Run the command line and return its exit status."""
    # A program in the background of a shell ignores ctrl-C, and must continue to.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        from nmt_lstm.cli.app import main as run

        return run()
    except MemoryError:  # while the command line itself was imported; it reports its own errors
        sys.stderr.write(
            "nmt-lstm: error: not enough memory to load nmt-lstm; raise its limit (ulimit -v).\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nnmt-lstm: interrupted.\n")
        return INTERRUPTED


def _interrupt(_: int, frame: FrameType | None) -> None:
    """End at once while modules are imported, which swallow a KeyboardInterrupt or make something else of it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os.write(2, b"\nnmt-lstm: interrupted.\n")
            os._exit(INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
