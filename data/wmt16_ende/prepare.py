"""Installs Stanford's WMT English-German in raw/: `python data/wmt16_ende/prepare.py [--from FOLDER]`."""

from __future__ import annotations

import html
import sys
from pathlib import Path

try:
    from nmt_lstm.corpora.prepare import CorpusFile, main
except ModuleNotFoundError as error:
    sys.exit(
        f"error: {sys.executable} cannot import {error.name}; install nmt-lstm (see README.md) and run this script with the "
        "Python of that virtual environment."
    )

ORIGIN = "https://nlp.stanford.edu/projects/nmt/data/wmt14.en-de"
# Checksums are unknown: these files have not been compared with a second source.
FILES = [
    CorpusFile(f"{split}.{language}", f"{ORIGIN}/{split}.{language}", lines)
    for split, lines in (
        ("train", 4_468_840),
        ("newstest2013", 3_000),
        ("newstest2014", 2_737),
        ("newstest2015", 2_169),
    )
    for language in ("en", "de")
]


def join_hyphens(line: str) -> str:
    """Return a line with characters instead of HTML entities, and with joined hyphenated words."""
    return html.unescape(line).replace(" ##AT##-##AT## ", "-")


if __name__ == "__main__":
    folder = Path(__file__).resolve().parent / "raw"
    sys.exit(main(FILES, folder, name="WMT English-German", fix_line=join_hyphens))
