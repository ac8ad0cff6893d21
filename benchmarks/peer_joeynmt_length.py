"""Runs JoeyNMT with a minimum length: ``python -P peer_joeynmt_length.py PIECES WORDS...``.

JoeyNMT 2.3.0 reads min_output_length, but does not pass it to its search, which accepts it.
"""

from __future__ import annotations

import functools
import sys

import joeynmt.__main__
import joeynmt.prediction


def main() -> None:
    """Run its command."""
    length, *words = sys.argv[1:]
    joeynmt.prediction.search = functools.partial(joeynmt.prediction.search, min_output_length=int(length))
    sys.argv = ["joeynmt", *words]
    joeynmt.__main__.main()


if __name__ == "__main__":
    main()
