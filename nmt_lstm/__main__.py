"""The command line: ``nmt-lstm``, and ``python -m nmt_lstm``."""

from __future__ import annotations

import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> int:
    """Run the command line and return its exit status.

    Importing it takes a while, in which ctrl-C is as welcome as later.
    """
    try:
        from nmt_lstm.cli.app import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("\nnmt-lstm: interrupted.\n")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
