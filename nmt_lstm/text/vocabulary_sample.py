"""The part of a text that a vocabulary is learnt from: all of a short text, a random sample of a long one.

More text changes little in a vocabulary, and costs memory and time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from nmt_lstm.text.text_form import TextForm

__all__ = ["max_sample_characters", "sample", "sample_share"]

# Approximate number of lines.
MAX_SAMPLE_LINES = 1_000_000
# And of characters: SentencePiece needs 21 bytes for each with the kind "unigram", and 5 with others. The bound is that of
# a process of 1 GiB.
MAX_SAMPLE_CHARACTERS = {"unigram": 32_000_000}
MAX_OTHER_CHARACTERS = 128_000_000
_DRAWS = 10_000
# SentencePiece skips lines of more than 4,192 bytes; a character has at most 4.
MAX_LINE_LENGTH = 1_000


def sample_share(kind: str, lines: int, characters: int) -> float:
    """Return the share of the lines that a vocabulary is learnt from; from 1 on, all of them."""
    most = max_sample_characters(kind)
    return min(MAX_SAMPLE_LINES / max(1, lines), most / max(1, characters))


def max_sample_characters(kind: str) -> int:
    """Return the approximate number of characters that a vocabulary is learnt from at most."""
    return MAX_SAMPLE_CHARACTERS.get(kind, MAX_OTHER_CHARACTERS)


def sample(lines: Iterator[str], share: float, seed: int, form: TextForm) -> Iterator[str]:
    """Yield a share of lines, determined by the seed, in parts short enough for SentencePiece."""
    if share < 1:
        lines = itertools.compress(lines, _chosen(share, seed))
    for line in lines:
        text = form.write(line)
        yield from (text[start : start + MAX_LINE_LENGTH] for start in range(0, len(text), MAX_LINE_LENGTH))


def _chosen(share: float, seed: int) -> Iterator[bool]:
    """Yield whether each line is in the sample."""
    random = np.random.default_rng(seed)
    while True:
        yield from (random.random(_DRAWS) < share).tolist()
