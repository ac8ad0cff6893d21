"""Validation text held out of the training text if none is given: pairs from all parts of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nmt_lstm.config.schema import CorpusSettings, RunSettings, ValidationSettings
from nmt_lstm.config.schema_base import as_paths
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.text.cleaning import PairSet, pair_digest
from nmt_lstm.text.corpus import Side, check_lengths, count_usable, read_parallel
from nmt_lstm.text.text_file import language_of

__all__ = ["FOLDER", "HeldOut", "hold_out", "with_validation_text"]

FOLDER = "held-out"
"""Name of its folder in the folder of a run."""
FILE = "valid"
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
    others: tuple[HeldOut, ...] = ()
    """What is held out of further corpora."""

    @property
    def sets(self) -> tuple[HeldOut, ...]:
        """The validation sets: one of each corpus."""
        return (self, *self.others)

    def describe(self, *, with_folder: bool = True) -> str:
        """Return how many pairs are held out, whether they are enough, and (`with_folder`) where they are."""
        count, total = sum(len(each.pairs) for each in self.sets), sum(each.total for each in self.sets)
        kind = "lines" if self.target is None else "pairs"
        text = f"No validation text given; {count:,} of {total:,} {kind} {'is' if count == 1 else 'are'} held out"
        text += f" of {len(self.sets)} corpora" if self.others else ""
        text += f", in '{self.source.parent}'" if with_folder else ""
        if len(self.pairs) >= MIN_MEANINGFUL_PAIRS:
            return f"{text}."
        return f"{text}. Scores of so few {kind} mean little; give validation text if you have more."

    def write(self) -> None:
        """Write the two files of each set.

        Raises:
            ResourceError: they cannot be written.
        """
        for each in self.sets:
            for path, lines in zip((each.source, each.target), zip(*each.pairs, strict=True), strict=True):
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
                for path in (path for each in self.sets for path in (each.source, each.target)):
                    if path is not None:
                        path.unlink(missing_ok=True)
                with suppress(OSError):  # not empty: files of another program, or the lock
                    folder.rmdir()
                    folder.parent.rmdir()
            raise


class _Candidate(NamedTuple):
    pair: tuple[str, str]
    digest: bytes


def hold_out(
    source: Side, target: Side | None, folder: Path, *, reuse: bool = False, labelled: bool = False
) -> HeldOut:
    """Choose pairs of a text for validation: 1,000 or 5 % of it, whichever is less, but at least one.

    The same text always has the same pairs. It is not changed: training has to leave these pairs out
    (`data.exclude_validation`). No pair is chosen twice or has an empty side; a pair that occurs repeatedly is chosen only
    if its part of the text has no other candidate.

    Args:
        source: source side of the text.
        target: target side of the text; None for text without pairs.
        folder: folder for the files.
        reuse: use the files in `folder` if they exist, as a resumed run must.
        labelled: whether the target side has labels, each of which must be left in the training text.

    Raises:
        DataError: the text cannot be read, has a side without text, or too few different pairs.
    """
    held = _hold_out(source, target, folder / FILE, reuse=reuse, labelled=labelled)
    if held is None:
        raise (
            _too_few_labelled(source, target) if labelled and target is not None else _too_few(source, target)
        )
    return held


def _hold_out(
    source: Side,
    target: Side | None,
    path: Path,
    *,
    reuse: bool,
    most: int = MAX_PAIRS,
    labelled: bool = False,
) -> HeldOut | None:
    """Return what is held out of a text in files whose names begin with `path`; None if it has too few pairs."""
    total, usable = check_lengths(source, target), count_usable(source, target)
    paths = _paths(source, target, path)
    if reuse and all(path is None or path.is_file() for path in paths):
        chosen = {pair_digest(*pair): pair for pair in read_parallel(*paths)}
        counts = _occurrences(source, target, PairSet(chosen.values()))
    else:
        parts = list(_candidates(source, target, total, most))
        candidates = PairSet(candidate.pair for part in parts for candidate in part)
        counts = _occurrences(source, target, candidates)
        chosen = _choose(parts, counts)
        if labelled:
            chosen = _without_last_of_a_label(chosen, source, target)
    remaining = usable - sum(counts[digest] for digest in chosen)
    if not chosen or not remaining:
        return None
    return HeldOut(*paths, list(chosen.values()), remaining, total)


def _paths(source: Side, target: Side | None, path: Path) -> tuple[Path, Path | None]:
    """Return the files of held-out text, whose names begin with `path`, named after the languages."""
    language = language_of(as_paths(source)[0])
    if target is None:
        return path.with_name(f"{path.name}.{language or 'source'}"), None
    sides = language, language_of(as_paths(target)[0])
    suffixes = sides if all(sides) and sides[0] != sides[1] else ("source", "target")
    return path.with_name(f"{path.name}.{suffixes[0]}"), path.with_name(f"{path.name}.{suffixes[1]}")


def _too_few(source: Side, target: Side | None) -> DataError:
    names = " and ".join(f"'{path}'" for path in (*as_paths(source), *as_paths(target)))
    if target is None:
        return DataError(
            f"{names} has too few different lines to hold some out for validation; give validation text with "
            f"--valid-source, or as data.valid_source.",
            path=as_paths(source)[0],
        )
    return DataError(
        f"{names} have too few different pairs to hold some out for validation; give validation "
        f"text with --valid-source and --valid-target, or as data.valid_source and data.valid_target.",
        path=as_paths(source)[0],
    )


def _too_few_labelled(texts: Side, labels: Side) -> DataError:
    """Return the error for labelled text; copies of a text count for its label, though not for what can be held out."""
    path = as_paths(labels)[0]
    counts = Counter(label.strip() for text, label in read_parallel(texts, labels) if text.strip())
    if max((count for label, count in counts.items() if label), default=0) > 1:
        return DataError(
            f"'{as_paths(texts)[0]}' has too few different texts with the same label to hold some out for validation: copies "
            f"of a text stay together. Give validation text with --valid-source and --valid-target.",
            path=as_paths(texts)[0],
        )
    return DataError(
        f"no label in '{path}' occurs twice, so that no text can be held out for validation. Is this the column of the "
        f"texts? If not, give validation text with --valid-source and --valid-target.",
        path=path,
    )


def with_validation_text(
    run: RunSettings, folder: Path, *, reuse: bool
) -> tuple[RunSettings, HeldOut | None]:
    """Return the settings of a run with validation text: its own, or pairs held out of its training text.

    Several corpora, or one with a tag, have a validation set each.

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
    if data.has_validation:
        return run, None
    corpora = data.training_corpora()
    labelled = data.targets == "labels"
    update: dict[str, object] = {"exclude_validation": True}
    if len(corpora) == 1 and not corpora[0].tag:
        held = hold_out(*corpora[0].sides(), folder / FOLDER, reuse=reuse, labelled=labelled)
        target = None if held.target is None else held.target.absolute()
        update |= {"valid_source": held.source.absolute(), "valid_target": target}
    else:
        held, update["validation"] = _hold_out_of_each(
            corpora, folder / FOLDER, reuse=reuse, labelled=labelled
        )
    return run.model_copy(update={"data": data.model_copy(update=update)}), held


def _hold_out_of_each(
    corpora: Sequence[CorpusSettings], folder: Path, *, reuse: bool, labelled: bool
) -> tuple[HeldOut, tuple[ValidationSettings, ...]]:
    """Hold out of each corpus a set with its name and tag; those that are too small have none.

    Raises:
        DataError: all are too small, or one cannot be read.
    """
    most = max(MIN_MEANINGFUL_PAIRS, MAX_PAIRS // len(corpora))
    sets, settings = list[HeldOut](), list[ValidationSettings]()
    for number, corpus in enumerate(corpora, 1):
        path = folder / f"{FILE}-{number}"
        held = _hold_out(*corpus.sides(), path, reuse=reuse, most=most, labelled=labelled)
        if held is not None:
            sets.append(held)
            source, target = (path and path.absolute() for path in (held.source, held.target))
            settings.append(
                ValidationSettings(name=corpus.name, source=source, target=target, tag=corpus.tag)
            )
    if not sets:
        first, labels = corpora[0].sides()
        raise _too_few_labelled(first, labels) if labelled and labels is not None else _too_few(first, labels)
    return sets[0]._replace(others=tuple(sets[1:])), tuple(settings)


def _candidates(source: Side, target: Side | None, total: int, most: int) -> Iterator[list[_Candidate]]:
    """Yield candidates from as many equal parts of the text as pairs are held out, from a random line of each part on."""
    count = max(1, min(most, int(total * SHARE)))
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


def _occurrences(source: Side, target: Side | None, pairs: PairSet) -> Counter[bytes]:
    """Count how often pairs, by their digests, occur in the text."""
    digests = (pairs.digest_of(*pair) for pair in read_parallel(source, target))
    return Counter(digest for digest in digests if digest is not None)


def _choose(parts: Sequence[Sequence[_Candidate]], counts: Counter[bytes]) -> dict[bytes, tuple[str, str]]:
    """Return the rarest candidate of each part, by its digest."""
    chosen: dict[bytes, tuple[str, str]] = {}
    for part in parts:
        candidates = [candidate for candidate in part if candidate.digest not in chosen]
        if candidates:
            best = min(candidates, key=lambda candidate: counts[candidate.digest])
            chosen[best.digest] = best.pair
    return chosen


def _without_last_of_a_label(
    chosen: dict[bytes, tuple[str, str]], source: Side, target: Side | None
) -> dict[bytes, tuple[str, str]]:
    """Return the chosen pairs without those whose labels the rest of the text does not have: nothing could be learnt of them."""
    rest = {pair[1].strip() for pair in read_parallel(source, target) if pair_digest(*pair) not in chosen}
    return {digest: pair for digest, pair in chosen.items() if pair[1].strip() in rest}


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
