"""A parallel text of any length for measurements: lines of about 12 words, recombined from phrases of invented words.

Words are as frequent as in natural text (Zipf's law), and nearly all lines are different. Line n is always the same,
however many lines are written, so that a longer text begins like a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

SEED = 7
WORDS = 40_000
PHRASES = 30_000
BLOCK = 10_000
SYLLABLES = (
    "be ge ver au sch te en un li ta r mi so ku ei ha de n st o fa gr i lo",
    "re co in ly er pr st mo ti on ca p lo nt wa ea th s de ho u be f il",
)
# Shares of the lines with so many phrases, and of the phrases with so many words.
PHRASES_PER_LINE = {1: 0.06, 2: 0.22, 3: 0.40, 4: 0.22, 5: 0.10}
WORDS_PER_PHRASE = {2: 0.15, 3: 0.25, 4: 0.25, 5: 0.20, 6: 0.15}


def write_text(source: Path, target: Path, lines: int) -> None:
    """Write both sides of a text."""
    with source.open("wb") as source_file, target.open("wb") as target_file:
        for sources, targets in blocks(lines):
            source_file.write(("\n".join(sources) + "\n").encode())
            target_file.write(("\n".join(targets) + "\n").encode())


def blocks(lines: int) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the lines of both sides in lists of at most `BLOCK`."""
    phrases = _phrases()
    for number, start in enumerate(range(0, lines, BLOCK)):
        random = np.random.default_rng([SEED, number])
        counts = _drawn(random, PHRASES_PER_LINE, BLOCK)
        # Some phrases are much more frequent than others, too.
        chosen = (PHRASES * random.random(int(counts.sum())) ** 1.5).astype(np.int64).tolist()
        swapped = (random.random(BLOCK) < 0.3).tolist()
        sources, targets, first = list[str](), list[str](), 0
        for line, count in enumerate(counts[: lines - start].tolist()):
            parts = chosen[first : first + count]
            first += count
            sources.append(_sentence([phrases[0][part] for part in parts]))
            if swapped[line]:
                parts[-2:] = parts[:-3:-1]
            targets.append(_sentence([phrases[1][part] for part in parts]))
        yield sources, targets


def _sentence(parts: list[str]) -> str:
    text = ", ".join(parts) if len(parts) > 3 else " ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _phrases() -> tuple[list[str], list[str]]:
    random = np.random.default_rng(SEED)
    words = [_words(random, syllables.split()) for syllables in SYLLABLES]
    lengths = _drawn(random, WORDS_PER_PHRASE, PHRASES)
    # Zipf's law with exponent 1: the rank of a draw is log-uniform.
    ranks = (WORDS ** random.random(int(lengths.sum())) - 1).astype(np.int64)
    spans = np.split(ranks, np.cumsum(lengths)[:-1])
    source, target = ([" ".join(side[word] for word in span) for span in spans] for side in words)
    return source, target


def _words(random: np.random.Generator, syllables: list[str]) -> list[str]:
    """Return words of one to five syllables, the shortest ones first, as frequent words are short."""
    words: dict[str, None] = {}
    for length in range(1, 6):
        most = min(WORDS, len(syllables) ** length // 2)
        while len(words) < most:
            words["".join(syllables[number] for number in random.integers(len(syllables), size=length))] = (
                None
            )
    return list(words)


def _drawn(random: np.random.Generator, shares: dict[int, float], count: int) -> np.ndarray:
    return random.choice(list(shares), count, p=list(shares.values()))
