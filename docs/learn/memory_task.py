"""Writes the text of the course's memory task: of a line of letters, repeat the one after the mark >.

``f c > d a e`` becomes ``d``. A network without attention has to keep the letter until the line ends, past letters that
look just like it. Lines of the training text have every length from the mark to the end that the test text asks for.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

LETTERS = "abcd"
MARK = ">"
DISTANCES = (0, 10, 20, 40, 80)
"""Letters between the marked one and the end, of the test texts."""
BEFORE = 3
"""Letters before the mark, at most."""


def pair(distance: int, draw: random.Random) -> tuple[str, str]:
    """Return a line whose marked letter has `distance` letters after it, and its answer."""
    before = draw.choices(LETTERS, k=draw.randint(0, BEFORE))
    (marked,) = draw.choices(LETTERS)
    after = draw.choices(LETTERS, k=distance)
    return " ".join([*before, MARK, marked, *after]), marked


def texts(pairs: int, shortest: int, longest: int, seed: int) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Return the name of each text with its pairs: training, validation, and a test for each distance."""
    draw = random.Random(seed)

    def mixed(count: int) -> list[tuple[str, str]]:
        # Short distances are more frequent than long ones: what is learnt on them carries over.
        return [pair(draw.randint(shortest, draw.randint(shortest, longest)), draw) for _ in range(count)]

    yield "train", mixed(pairs)
    yield "valid", mixed(400)
    for distance in DISTANCES:
        yield f"test-{distance}", [pair(distance, draw) for _ in range(200)]


def main() -> None:
    """Write FOLDER/train.in, FOLDER/train.out and so on."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/learn/memory"), metavar="FOLDER")
    parser.add_argument("--pairs", type=int, default=20_000, help="lines of the training text")
    parser.add_argument("--shortest", type=int, default=0, help="least distance of the training text")
    parser.add_argument("--longest", type=int, default=20, help="greatest distance of the training text")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name, pairs in texts(options.pairs, options.shortest, options.longest, options.seed):
        for side, lines in zip(("in", "out"), zip(*pairs, strict=True), strict=True):
            text = "".join(f"{line}\n" for line in lines)
            (options.output / f"{name}.{side}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
