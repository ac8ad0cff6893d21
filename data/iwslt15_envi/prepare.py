"""Puts IWSLT'15 English-Vietnamese into raw/: `python data/iwslt15_envi/prepare.py [--from FOLDER]`."""

from __future__ import annotations

import html
import sys
from pathlib import Path

try:
    from nmt_lstm.corpora.prepare import CorpusFile, main
except ModuleNotFoundError as error:
    sys.exit(
        f"error: {sys.executable} has no {error.name}. Install nmt-lstm (see README.md) and start this script with "
        "the python of that virtual environment."
    )

ORIGIN = "https://nlp.stanford.edu/projects/nmt/data/iwslt15.en-vi"
# No checksum is known: nobody has yet compared these files with a second source.
FILES = [
    CorpusFile(f"{split}.{language}", f"{ORIGIN}/{split}.{language}", lines)
    for split, lines in (("train", 133_317), ("tst2012", 1_553), ("tst2013", 1_268))
    for language in ("en", "vi")
]

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent / "raw"
    sys.exit(main(FILES, folder, name="IWSLT'15 English-Vietnamese", mend=html.unescape))
