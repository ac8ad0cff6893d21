"""Validation text held out of the training text, where no other was named: a few pairs from every part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.text.cleaning import pair_digest
from nmt_lstm.text.corpus import check_lengths, count_usable, language_of, read_parallel

__all__ = ["FOLDER", "HeldOut", "hold_out", "with_validation_text"]

FOLDER = "held-out"
"""Where it lies in the folder of a run."""
MOST_PAIRS = 1_000
SHARE = 0.05
# The validation text is part of the data, not of the run: runs of other seeds must stay comparable.
SEED = 1
# Pairs considered for each that is held out, so that one that occurs once is preferred: all copies leave the training.
CANDIDATES = 4
# Scores of fewer pairs say little: one word more or less changes them.
TELLING = 20


class HeldOut(NamedTuple):
    """What is held out."""

    source: Path
    """Where `write` puts its source side."""
    target: Path
    pairs: list[tuple[str, str]]
    trained_on: int
    """Pairs of the text that are left: with text on both sides, neither held out nor copies of such."""
    total: int
    """Pairs of the text."""

    def describe(self, *, place: bool = True) -> str:
        """Return how many pairs are held out, whether they are enough, and (`place`) where they are."""
        held = len(self.pairs)
        text = f"No validation text was named: {held:,} of {self.total:,} pairs {'is' if held == 1 else 'are'} held out for it"
        text += f", in '{self.source.parent}'" if place else ""
        if held >= TELLING:
            return f"{text}."
        return f"{text}. Scores of so few say little; name validation text if there is more."

    def write(self) -> None:
        """Write the two files.

        Raises:
            ResourceError: they cannot be written.
        """
        for path, lines in zip((self.source, self.target), zip(*self.pairs, strict=True), strict=True):
            _write(path, "".join(f"{line}\n" for line in lines).encode())

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Write the two files, and take them away again if what follows fails before anything stands beside their folder.

        Raises:
            ResourceError: they cannot be written.
        """
        folder = self.source.parent
        is_new = not folder.exists()
        try:
            self.write()
            yield
        except BaseException:
            # A run's lock is gone soon; everything else is what a run can be resumed from.
            alone = {path.name for path in folder.parent.glob("*")} <= {folder.name, ".lock"}
            if is_new and alone:
                self.source.unlink(missing_ok=True)
                self.target.unlink(missing_ok=True)
                with suppress(OSError):  # files of another program, or the lock
                    folder.rmdir()
                    folder.parent.rmdir()
            raise


class _Candidate(NamedTuple):
    pair: tuple[str, str]
    digest: bytes


def hold_out(
    source: Path, target: Path, folder: Path, *, names: tuple[str, str] | None = None, reuse: bool = False
) -> HeldOut:
    """Choose pairs of a text for validation: 1,000 or 5 % of it, whichever is less, but at least one.

    They are always the same pairs of a text.

    The text itself stays as it is: training has to leave these pairs out (`data.exclude_validation`). No pair is held out
    twice, none with an empty side, and one that the text repeats only where its part of the text has no other.

    Args:
        source: source side of the text.
        target: its target side.
        folder: where the files are to be.
        names: of the two files; None names them after the languages.
        reuse: take the files that are there, as a run that is resumed must.

    Raises:
        DataError: the text cannot be read, has a side without text, or too few different pairs.
    """
    total, usable = check_lengths(source, target), count_usable(source, target)
    names = names or _names(source, target)
    paths = folder / names[0], folder / names[1]
    if reuse and all(path.is_file() for path in paths):
        chosen = {pair_digest(*pair): pair for pair in read_parallel(*paths)}
        counts = _occurrences(source, target, chosen)
    else:
        parts = list(_candidates(source, target, total))
        counts = _occurrences(source, target, {each.digest for part in parts for each in part})
        chosen = _chosen(parts, counts)
    left = usable - sum(counts[digest] for digest in chosen)
    if not chosen or not left:
        raise DataError(
            f"'{source}' and '{target}' have too few different pairs to hold some out for validation; name validation "
            f"text with --valid-source and --valid-target, or as data.valid_source and data.valid_target."
        )
    return HeldOut(*paths, list(chosen.values()), left, total)


def with_validation_text(
    run: RunSettings, folder: Path, *, reuse: bool
) -> tuple[RunSettings, HeldOut | None]:
    """Return a run that has validation text: its own, or pairs that are held out of its training text.

    Args:
        run: the settings.
        folder: of the run; its folder `FOLDER` is where the files are to be.
        reuse: see `hold_out`.

    Returns:
        The settings, and what has yet to be written for them; None where they named validation text.

    Raises:
        DataError: see `hold_out`.
    """
    data = run.data
    if data.valid_source is not None:
        return run, None
    held = hold_out(data.train_source, data.train_target, folder / FOLDER, reuse=reuse)
    named = {
        "valid_source": held.source.absolute(),
        "valid_target": held.target.absolute(),
        "exclude_validation": True,
    }
    return run.model_copy(update={"data": data.model_copy(update=named)}), held


def _names(source: Path, target: Path) -> tuple[str, str]:
    sides = language_of(source), language_of(target)
    endings = sides if all(sides) and sides[0] != sides[1] else ("source", "target")
    return f"valid.{endings[0]}", f"valid.{endings[1]}"


def _candidates(source: Path, target: Path, total: int) -> Iterator[list[_Candidate]]:
    """Yield pairs for each of as many equal parts of the text as are held out, from a random place of the part on."""
    wanted = max(1, min(MOST_PAIRS, int(total * SHARE)))
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
        write_atomically(path, content)
    except OSError as problem:
        raise ResourceError(
            f"the validation text '{path}' cannot be written ({problem.strerror or problem}); choose another folder with -o."
        ) from problem
