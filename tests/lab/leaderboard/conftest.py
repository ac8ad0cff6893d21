"""A small board: 40 lines of number words, their references, and outputs of three systems."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from nmt_lstm import Leaderboard

NAMES = {"null": "zero", "eins": "one", "zwei": "two", "drei": "three", "vier": "four", "fünf": "five"}


@dataclass(frozen=True)
class Texts:
    """The files of a test set and of outputs."""

    folder: Path
    source: Path
    reference: Path
    good: Path
    similar: Path
    bad: Path


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@pytest.fixture
def texts(tmp_path: Path) -> Texts:
    """A test set with three outputs: two with few errors in different places, and one with many."""
    draw = random.Random(7)
    sources = [[draw.choice(list(NAMES)) for _ in range(draw.randint(4, 12))] for _ in range(40)]
    references = [[NAMES[word] for word in line] for line in sources]

    def output(seed: int, share: float) -> list[str]:
        choose = random.Random(seed)
        return [
            " ".join("six" if choose.random() < share else word for word in line).capitalize() + "."
            for line in references
        ]

    folder = tmp_path / "texts"
    folder.mkdir()
    return Texts(
        folder=folder,
        source=write(folder / "test.de", [" ".join(line).capitalize() + "." for line in sources]),
        reference=write(folder / "test.en", [" ".join(line).capitalize() + "." for line in references]),
        good=write(folder / "good.txt", output(1, 0.15)),
        similar=write(folder / "similar.txt", output(2, 0.15)),
        bad=write(folder / "bad.txt", output(3, 0.5)),
    )


@pytest.fixture
def empty_board(texts: Texts, tmp_path: Path) -> Leaderboard:
    """A board with the test set "numbers" and no rows."""
    given = {
        "source": texts.source,
        "references": [texts.reference],
        "source_language": "de",
        "target_language": "en",
    }
    return Leaderboard.create(tmp_path / "board", {"numbers": given}, title="Numbers")


@pytest.fixture
def board(empty_board: Leaderboard, texts: Texts) -> Leaderboard:
    """The board with the three systems."""
    for name in ("good", "similar", "bad"):
        empty_board.add(name, hypotheses=getattr(texts, name))
    return empty_board
