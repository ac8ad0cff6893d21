"""Installs IWSLT'15 English-Vietnamese in raw/: `python data/iwslt15_envi/prepare.py [--from FOLDER]`."""

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

ORIGIN = "https://nlp.stanford.edu/projects/nmt/data/iwslt15.en-vi"
# Checksums are unknown: these files have not been compared with a second source.
FILES = [
    CorpusFile(f"{split}.{language}", f"{ORIGIN}/{split}.{language}", lines)
    for split, lines in (("train", 133_317), ("tst2012", 1_553), ("tst2013", 1_268))
    for language in ("en", "vi")
]

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent / "raw"
    sys.exit(main(FILES, folder, name="IWSLT'15 English-Vietnamese", fix_line=html.unescape))
