"""Write made-up film reviews with labels, in which the order of words decides: the same files on any machine."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

GOOD = ("wonderful", "moving", "clever", "funny", "gripping", "beautiful", "charming", "brilliant")
BAD = ("dull", "boring", "clumsy", "tedious", "shallow", "noisy", "predictable", "lifeless")
PLAIN = ("long", "short", "new", "old", "French", "silent", "recent", "crowded")
THINGS = ("film", "plot", "acting", "music", "ending", "script", "dialogue", "first half", "camera work")
WEIGHTS = {"positive": 5, "negative": 3, "neutral": 2}


def sentence(label: str, choose: random.Random) -> str:
    """Return a review with this label."""
    thing, other = choose.sample(THINGS, 2)
    if label == "neutral":
        first, second = choose.sample(PLAIN, 2)
        forms = (
            f"the {thing} was {first} and {second}",
            f"we saw a {first} film in a {second} cinema",
            f"a {first} {thing}, a {second} {other}",
            f"I had heard of the {thing}, which is {first}",
        )
        return choose.choice(forms)
    said, opposite = (GOOD, BAD) if label == "positive" else (BAD, GOOD)
    word, second, wrong = choose.choice(said), choose.choice(said), choose.choice(opposite)
    very = choose.choice(("", "really ", "very ", "quite "))
    forms = (
        f"the {thing} was {very}{word}",
        f"the {thing} was not {wrong} at all",
        f"I expected a {wrong} {thing}, but it was {very}{word}",
        f"not {wrong}, {very}{word}",
        f"they told me that the {thing} was {wrong}; no, it is {word}",
        f"the {thing} was {word} and the {other} {very}{second}",
        f"what a {word} {thing}, I thought it would be {wrong}",
    )
    return choose.choice(forms)


def write(path: Path, count: int, choose: random.Random, known: set[str]) -> None:
    """Write so many different reviews that are not known yet, and remember them."""
    lines = []
    while len(lines) < count:
        (label,) = choose.choices(list(WEIGHTS), list(WEIGHTS.values()))
        text = sentence(label, choose)
        if text not in known:
            known.add(text)
            lines.append(f"{label}\t{text}\n")
    path.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Write train.tsv and test.tsv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("reviews"), help="folder (default: %(default)s)")
    parser.add_argument("--train", type=int, default=3_000, help="reviews to train on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all choices (default: %(default)s)")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    choose, known = random.Random(arguments.seed), set[str]()
    for name, count in (("test", 500), ("train", arguments.train)):
        write(arguments.output / f"{name}.tsv", count, choose, known)


if __name__ == "__main__":
    main()
