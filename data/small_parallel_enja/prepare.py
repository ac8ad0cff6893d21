"""Installs small_parallel_enja in raw/: `python data/small_parallel_enja/prepare.py [--from FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

try:
    from nmt_lstm.corpora.prepare import CorpusFile, main
except ModuleNotFoundError as error:
    sys.exit(
        f"error: {sys.executable} cannot import {error.name}; install nmt-lstm (see README.md) and run this script with the "
        "Python of that virtual environment."
    )

ORIGIN = "https://raw.githubusercontent.com/odashi/small_parallel_enja/master"
FILES = [
    CorpusFile(name, f"{ORIGIN}/{name}", lines, sha256)
    for name, lines, sha256 in (
        ("train.en", 50_000, "148b05dcd28638fe20ee84f2b1127001c80982be352007dda241fb759adadc76"),
        ("train.ja", 50_000, "fc81a1434349ec98a449d7ae9cd2530057f689637684ecfed3501ea6a8a07ecc"),
        ("dev.en", 500, "04a2673449770657fd5e3b963cb856be3130923212b6db8ac7eaeef18f06c041"),
        ("dev.ja", 500, "cd534f56b8639dc130f86a365e5ec0aa70042000bdd740a622fbbf8b6be4acca"),
    )
]
# Checksums are unknown: these files have not been compared with a second source.
FILES += [CorpusFile(name, f"{ORIGIN}/{name}", 500, optional=True) for name in ("test.en", "test.ja")]


if __name__ == "__main__":
    sys.exit(main(FILES, Path(__file__).resolve().parent / "raw", name="small_parallel_enja"))
