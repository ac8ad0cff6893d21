"""Outputs of made-up systems: references with words dropped, swapped and repeated."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

WORDS = """
the a man woman child dog bicycle street house river sits runs walks plays reads blue red green old young two three
people in on under near with hat guitar football quickly together while another group of children
"""


@pytest.fixture(scope="session")
def references() -> list[str]:
    """120 sentences of 3 to 18 words."""
    draw, words = random.Random(1), WORDS.split()
    return [
        " ".join(draw.choice(words) for _ in range(draw.randint(3, 18))).capitalize() + "."
        for _ in range(120)
    ]


@pytest.fixture(scope="session")
def output_of(references) -> Callable[[int, float], list[str]]:
    """An output that differs from the references in about this share of the words."""

    def output(seed: int, share: float) -> list[str]:
        draw = random.Random(seed)
        lines = []
        for line in references:
            words = [word for word in line.split() if draw.random() > share]
            if len(words) > 1 and draw.random() < 2 * share:
                place = draw.randrange(len(words) - 1)
                words[place], words[place + 1] = words[place + 1], words[place]
            lines.append(" ".join(words))
        return lines

    return output
