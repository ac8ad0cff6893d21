"""Validation text held out of the training text, where no other was named: a few pairs from every part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.whole import write_whole
from nmt_lstm.text.cleaning import pair_digest
from nmt_lstm.text.corpus import check_lengths, read_parallel

__all__ = ["FOLDER", "HeldOut", "hold_out"]

FOLDER = "held-out"
"""Where it lies in the folder of a run."""
MOST_PAIRS = 1_000
SHARE = 0.05
# The validation text is part of the data, not of the run: runs of other seeds must stay comparable.
SEED = 1
# Pairs considered for each that is held out, so that one that occurs once is preferred: all copies leave the training.
CANDIDATES = 4


class HeldOut(NamedTuple):
    """What is held out."""

    source: Path
    """Where `write` puts its source side."""
    target: Path
    pairs: list[tuple[str, str]]
    trained_on: int
    """Pairs of the text that are left: neither held out, nor copies of such."""

    def write(self) -> None:
        """Write the two files.

        Raises:
            ResourceError: they cannot be written.
        """
        for path, lines in zip((self.source, self.target), zip(*self.pairs, strict=True), strict=True):
            _write(path, "".join(f"{line}\n" for line in lines).encode())


class _Candidate(NamedTuple):
    pair: tuple[str, str]
    digest: bytes


def hold_out(
    source: Path, target: Path, folder: Path, *, names: tuple[str, str], reuse: bool = False
) -> HeldOut:
    """Choose pairs of a text for validation: 1,000 or 5 % of it, whichever is less; always the same pairs of a text.

    The text itself stays as it is: training has to leave these pairs out (`data.exclude_validation`). No pair is held out
    twice, none with an empty side, and one that the text repeats only where its part of the text has no other.

    Args:
        source: source side of the text.
        target: its target side.
        folder: where the files are to be.
        names: of the two files.
        reuse: take the files that are there, as a run that is resumed must.

    Raises:
        DataError: the text cannot be read, or has too few different pairs.
    """
    total = check_lengths(source, target)
    paths = folder / names[0], folder / names[1]
    if reuse and all(path.is_file() for path in paths):
        chosen = {pair_digest(*pair): pair for pair in read_parallel(*paths)}
        counts = _occurrences(source, target, chosen)
    else:
        parts = list(_candidates(source, target, total))
        counts = _occurrences(source, target, {each.digest for part in parts for each in part})
        chosen = _chosen(parts, counts)
    left = total - sum(counts[digest] for digest in chosen)
    if not chosen or not left:
        raise DataError(
            f"'{source}' and '{target}' have too few different pairs to hold some out for validation; name validation "
            f"text with --valid-source and --valid-target."
        )
    return HeldOut(*paths, list(chosen.values()), left)


def _candidates(source: Path, target: Path, total: int) -> Iterator[list[_Candidate]]:
    """Yield pairs for each of as many equal parts of the text as are held out, from a random place of the part on."""
    wanted = min(MOST_PAIRS, int(total * SHARE))
    if not wanted:
        raise DataError(
            f"'{source}' has {total:,} lines, too few to hold some out for validation ({round(1 / SHARE)} are needed); "
            f"name validation text with --valid-source and --valid-target."
        )
    pairs = read_parallel(source, target)
    random = np.random.default_rng(SEED)
    for part in range(wanted):
        begin, end = part * total // wanted, (part + 1) * total // wanted
        place = begin + int(random.integers(end - begin))
        before: list[_Candidate] = []
        found: list[_Candidate] = []
        for number, pair in zip(range(begin, end), pairs, strict=False):
            if not (pair[0].strip() and pair[1].strip()) or len(found) == CANDIDATES:
                continue
            candidate = _Candidate(pair, pair_digest(*pair))
            if number < place:
                before = [candidate]
            else:
                found.append(candidate)
        yield found or before


def _occurrences(source: Path, target: Path, digests: Container[bytes]) -> Counter[bytes]:
    """Count how often the text has the pairs of these digests."""
    read = (pair_digest(*pair) for pair in read_parallel(source, target))
    return Counter(digest for digest in read if digest in digests)


def _chosen(parts: Sequence[Sequence[_Candidate]], counts: Counter[bytes]) -> dict[bytes, tuple[str, str]]:
    """Return the rarest candidate of each part, by its digest."""
    chosen: dict[bytes, tuple[str, str]] = {}
    for part in parts:
        new = [each for each in part if each.digest not in chosen]
        if new:
            best = min(new, key=lambda each: counts[each.digest])
            chosen[best.digest] = best.pair
    return chosen


def _write(path: Path, content: bytes) -> None:
    """Write a file whole; one that has this content already is left alone, since a process may be reading it."""
    try:
        if path.is_file() and path.read_bytes() == content:
            return
        write_whole(path, content)
    except OSError as problem:
        raise ResourceError(
            f"the validation text '{path}' cannot be written ({problem.strerror or problem}); choose another folder with -o."
        ) from problem
