"""Installs Multi30k German-English in raw/: `python data/multi30k/prepare.py [--from FOLDER]`."""

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

ORIGIN = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"
FILES = [
    CorpusFile(name, f"{ORIGIN}/{name}.gz", lines, sha256)
    for name, lines, sha256 in (
        ("train.de", 29_000, "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72"),
        ("train.en", 29_000, "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6"),
        ("val.de", 1_014, "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660"),
        ("val.en", 1_014, "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227"),
        ("test_2016_flickr.de", 1_000, "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16"),
        ("test_2016_flickr.en", 1_000, "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182"),
    )
]


if __name__ == "__main__":
    sys.exit(main(FILES, Path(__file__).resolve().parent / "raw", name="Multi30k German-English"))
