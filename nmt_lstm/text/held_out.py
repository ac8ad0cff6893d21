"""Validation text held out of the training text if none is given: pairs from all parts of it."""

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
from nmt_lstm.text.corpus import check_lengths, count_usable, read_parallel
from nmt_lstm.text.text_file import language_of

__all__ = ["FOLDER", "HeldOut", "hold_out", "with_validation_text"]

FOLDER = "held-out"
"""Name of its folder in the folder of a run."""
MAX_PAIRS = 1_000
SHARE = 0.05
# The validation text is part of the data, not of the run: runs with different seeds must be comparable.
SEED = 1
# Candidates for each held-out pair. The rarest is chosen, because all of its copies are lost for training.
CANDIDATES = 4
# Scores of fewer pairs mean little: a single word changes them.
MIN_MEANINGFUL_PAIRS = 20


class HeldOut(NamedTuple):
    """Pairs that are held out for validation."""

    source: Path
    """File of the source side, which `write` creates."""
    target: Path | None
    """File of the target side; None in text without pairs."""
    pairs: list[tuple[str, str]]
    """The held-out pairs; in text without pairs, each line with itself."""
    remaining: int
    """Number of pairs for training: with text on both sides, and neither held out nor a copy of a held-out pair."""
    total: int
    """Number of all pairs of the text."""

    def describe(self, *, with_folder: bool = True) -> str:
        """Return how many pairs are held out, whether they are enough, and (`with_folder`) where they are."""
        count = len(self.pairs)
        kind = "lines" if self.target is None else "pairs"
        text = f"No validation text given; {count:,} of {self.total:,} {kind} {'is' if count == 1 else 'are'} held out"
        text += f", in '{self.source.parent}'" if with_folder else ""
        if count >= MIN_MEANINGFUL_PAIRS:
            return f"{text}."
        return f"{text}. Scores of so few {kind} mean little; give validation text if you have more."

    def write(self) -> None:
        """Write the files.

        Raises:
            ResourceError: they cannot be written.
        """
        for path, lines in zip((self.source, self.target), zip(*self.pairs, strict=True), strict=True):
            if path is not None:
                _write(path, "".join(f"{line}\n" for line in lines).encode())

    @contextmanager
    def files(self) -> Iterator[None]:
        """Write the files; remove them again if the block fails before a run has written anything beside them.

        Raises:
            ResourceError: they cannot be written.
        """
        folder = self.source.parent
        is_new = not folder.exists()
        try:
            self.write()
            yield
        except BaseException:
            # The lock of a run does not count; from anything else the run can be resumed.
            is_alone = {path.name for path in folder.parent.glob("*")} <= {folder.name, ".lock"}
            if is_new and is_alone:
                self.source.unlink(missing_ok=True)
                if self.target is not None:
                    self.target.unlink(missing_ok=True)
                with suppress(OSError):  # not empty: files of another program, or the lock
                    folder.rmdir()
                    folder.parent.rmdir()
            raise


class _Candidate(NamedTuple):
    pair: tuple[str, str]
    digest: bytes


def hold_out(source: Path, target: Path | None, folder: Path, *, reuse: bool = False) -> HeldOut:
    """Choose pairs of a text for validation: 1,000 or 5 % of it, whichever is less, but at least one.

    The same text always has the same pairs. It is not changed: training has to leave these pairs out
    (`data.exclude_validation`). No pair is chosen twice or has an empty side; a pair that occurs repeatedly is chosen only
    if its part of the text has no other candidate.

    Args:
        source: source side of the text.
        target: target side of the text; None for text without pairs.
        folder: folder for the files.
        reuse: use the files in `folder` if they exist, as a resumed run must.

    Raises:
        DataError: the text cannot be read, has a side without text, or too few different pairs.
    """
    total, usable = check_lengths(source, target), count_usable(source, target)
    paths = _paths(source, target, folder)
    if reuse and all(path is None or path.is_file() for path in paths):
        chosen = {pair_digest(*pair): pair for pair in read_parallel(*paths)}
        counts = _occurrences(source, target, chosen)
    else:
        parts = list(_candidates(source, target, total))
        counts = _occurrences(source, target, {candidate.digest for part in parts for candidate in part})
        chosen = _choose(parts, counts)
    remaining = usable - sum(counts[digest] for digest in chosen)
    if not chosen or not remaining:
        raise DataError(
            f"'{source}' has too few different lines to hold some out for validation; give validation text with "
            f"--valid-source, or as data.valid_source."
            if target is None
            else f"'{source}' and '{target}' have too few different pairs to hold some out for validation; give validation "
            f"text with --valid-source and --valid-target, or as data.valid_source and data.valid_target.",
            path=source,
        )
    return HeldOut(*paths, list(chosen.values()), remaining, total)


def with_validation_text(
    run: RunSettings, folder: Path, *, reuse: bool
) -> tuple[RunSettings, HeldOut | None]:
    """Return the settings of a run with validation text: its own, or pairs held out of its training text.

    Args:
        run: the settings.
        folder: folder of the run; the files belong in its folder `FOLDER`.
        reuse: see `hold_out`.

    Returns:
        The settings, and the held-out text that remains to be written; None if the settings name validation text.

    Raises:
        DataError: see `hold_out`.
    """
    data = run.data
    if data.valid_source is not None:
        return run, None
    held = hold_out(*data.training_text(), folder / FOLDER, reuse=reuse)
    update = {
        "valid_source": held.source.absolute(),
        "valid_target": None if held.target is None else held.target.absolute(),
        "exclude_validation": True,
    }
    return run.model_copy(update={"data": data.model_copy(update=update)}), held


def _paths(source: Path, target: Path | None, folder: Path) -> tuple[Path, Path | None]:
    """Return the files of the held-out text, named after the languages."""
    if target is None:
        return folder / f"valid.{language_of(source) or 'source'}", None
    sides = language_of(source), language_of(target)
    suffixes = sides if all(sides) and sides[0] != sides[1] else ("source", "target")
    return folder / f"valid.{suffixes[0]}", folder / f"valid.{suffixes[1]}"


def _candidates(source: Path, target: Path | None, total: int) -> Iterator[list[_Candidate]]:
    """Yield candidates from as many equal parts of the text as pairs are held out, from a random line of each part on."""
    count = max(1, min(MAX_PAIRS, int(total * SHARE)))
    pairs = read_parallel(source, target)
    random = np.random.default_rng(SEED)
    for part in range(count):
        begin, end = part * total // count, (part + 1) * total // count
        first = begin + int(random.integers(end - begin))
        before: list[_Candidate] = []  # the last pair before that line, in case none follows
        candidates: list[_Candidate] = []
        for number, pair in zip(range(begin, end), pairs, strict=False):
            if not (pair[0].strip() and pair[1].strip()) or len(candidates) == CANDIDATES:
                continue
            candidate = _Candidate(pair, pair_digest(*pair))
            if number < first:
                before = [candidate]
            else:
                candidates.append(candidate)
        yield candidates or before


def _occurrences(source: Path, target: Path | None, digests: Container[bytes]) -> Counter[bytes]:
    """Count how often the pairs with these digests occur in the text."""
    all_digests = (pair_digest(*pair) for pair in read_parallel(source, target))
    return Counter(digest for digest in all_digests if digest in digests)


def _choose(parts: Sequence[Sequence[_Candidate]], counts: Counter[bytes]) -> dict[bytes, tuple[str, str]]:
    """Return the rarest candidate of each part, by its digest."""
    chosen: dict[bytes, tuple[str, str]] = {}
    for part in parts:
        candidates = [candidate for candidate in part if candidate.digest not in chosen]
        if candidates:
            best = min(candidates, key=lambda candidate: counts[candidate.digest])
            chosen[best.digest] = best.pair
    return chosen


def _write(path: Path, content: bytes) -> None:
    """Write a file, unless it already has this content: another process may be reading it."""
    try:
        if path.is_file() and path.read_bytes() == content:
            return
        write_atomically(path, content)
    except OSError as problem:
        raise ResourceError(
            f"the validation text '{path}' cannot be written ({problem.strerror or problem}); choose another folder with -o."
        ) from problem
