"""A small corpus of made-up text that a test may change."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.text.token_store import TokenStore

SYLLABLES = ("ka", "mi", "to", "ru", "sen", "da", "lo", "wi", "ba", "ne")


def sentences(count: int, seed: int) -> list[str]:
    """Sentences of made-up words; with any seed, line i has the same number of words."""
    lengths, words, draw = random.Random(0), random.Random(1), random.Random(seed)
    vocabulary = ["".join(words.choices(SYLLABLES, k=3)) for _ in range(40)]
    return [" ".join(draw.choices(vocabulary, k=lengths.randint(2, 8))) for _ in range(count)]


class MadeUpCorpus:
    """Four files of made-up text that a test may change, and runs on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for seed, (name, count) in enumerate((("train", 120), ("valid", 10))):
            self.write(f"{name}.a", sentences(count, seed))
            self.write(f"{name}.b", [line.upper() for line in sentences(count, seed + 10)])

    def write(self, name: str, lines: list[str]) -> None:
        """Replace a file."""
        (self.folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    def lines(self, name: str) -> list[str]:
        """The lines of a file."""
        return (self.folder / name).read_text(encoding="utf-8").split("\n")[:-1]

    def run(self, *overrides: str) -> RunSettings:
        """The settings of a run on this corpus."""
        values = {
            "data": {
                "train_source": "train.a",
                "train_target": "train.b",
                "valid_source": "valid.a",
                "valid_target": "valid.b",
            },
            "subwords": {"kind": "bpe", "vocabulary_size": 310},
        }
        return make_run(values, overrides, folder=self.folder)

    def prepared_folders(self) -> list[str]:
        """Names of the folders of prepared text."""
        return sorted(path.name for path in (self.folder / "prepared").iterdir())

    @staticmethod
    def files(folder: Path) -> dict[str, bytes]:
        """The contents of the files in a folder, by name."""
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    @staticmethod
    def decoded(prepared: Prepared, store: TokenStore | None = None) -> list[tuple[str, str]]:
        """The pairs of a store as text."""
        store = store or prepared.train
        source, target = prepared.subwords.source.decode, prepared.subwords.target.decode
        return [(source(store.source[index]), target(store.target[index])) for index in range(len(store))]

    def pairs(self) -> list[tuple[str, str]]:
        """The training pairs."""
        return list(zip(self.lines("train.a"), self.lines("train.b"), strict=True))


@pytest.fixture
def corpus(tmp_path: Path) -> MadeUpCorpus:
    """The corpus in a temporary folder."""
    return MadeUpCorpus(tmp_path)
