"""Preparation: turns text into vocabularies and a token store, once for the same text and settings.

Text without pairs becomes the target side; the source sides of its pairs are empty.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.config.schema import DataSettings, SubwordSettings
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import complete_folder
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of
from nmt_lstm.files.lock import locked
from nmt_lstm.files.regular import read_regular
from nmt_lstm.text.cleaning import CleaningReport, PairCleaner, pair_digest
from nmt_lstm.text.corpus import count_usable, read_parallel
from nmt_lstm.text.corpus_checks import corpus_warnings
from nmt_lstm.text.special_pieces import END
from nmt_lstm.text.subwords import Subwords, read_subwords, train_subwords
from nmt_lstm.text.text_file import check_rereadable, read_blocks
from nmt_lstm.text.token_store import HEADER, TokenStore, TokenStoreWriter

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["KEPT", "Prepared", "chunks_of", "prepare", "prepare_text"]

# Incremented when the same text and settings would have a different result.
VERSION = 2
CHUNK = 10_000
# The vocabulary is part of the data, not of the run: runs with different seeds must be comparable.
VOCABULARY_SEED = 1
RECORD = "prepared.json"
# A file with one byte for each line of the training text: whether its pair is in the store.
KEPT = "kept"

# Settings of subwords that change nothing in the prepared text by themselves, and those from later versions.
UNPREPARED = ("sampling", "model")
LATER = ("normalise_invisible", "user_defined_symbols")

logger = logging.getLogger(__name__)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """Prepared text: vocabularies, training pairs as piece ids, and validation text."""

    folder: Path
    fingerprint: str
    subwords: Subwords
    train: TokenStore
    valid_source: list[str]
    valid_target: list[str]
    report: CleaningReport
    data: DataSettings
    """The text that was prepared, and how it was cleaned."""
    kind: str
    """SentencePiece's algorithm."""
    reused: bool
    """Whether it had been prepared before."""

    def target_counts(self) -> NDArray[np.int64]:
        """Return how often each piece of the target vocabulary is a label in training, of shape (V,), END included."""
        counts = self.train.target.counts(self.subwords.target.size)
        counts[END] += len(self.train)
        return counts


def prepare(run: RunSettings, on_progress: Progress | None = None) -> Prepared:
    """Return the prepared text of a run: `prepare_text` with its ``run.data`` and ``run.subwords``.

    Raises:
        DataError: the text is missing, unreadable, misaligned or empty.
        ResourceError: the disk is full.
    """
    return prepare_text(run.data, run.subwords, on_progress)


def prepare_text(
    data: DataSettings, subwords: SubwordSettings, on_progress: Progress | None = None
) -> Prepared:
    """Return prepared text; it is prepared now unless the same text was prepared before with the same settings.

    It is stored in ``data.prepared / FINGERPRINT``, which appears only when it is complete.

    Args:
        data: the text, and how to clean it.
        subwords: how to split it into pieces.
        on_progress: called with a sentence at each stage.

    Raises:
        DataError: the text is missing, unreadable, misaligned or empty.
        ResourceError: the disk is full.
    """
    report = on_progress or (lambda _: None)
    check_rereadable(*data.training_text(), *data.validation_text())
    valid = list(read_parallel(*data.validation_text()))
    for warning in corpus_warnings(data):
        _warn(warning)
    fingerprint = _fingerprint(data, subwords)
    folder = data.prepared / fingerprint[:16]

    def existing(*, warn: bool = False) -> _Contents | None:
        try:
            return _read_folder(folder, normalise_invisible=subwords.normalise_invisible)
        except DataError as error:
            if warn:
                logger.warning(
                    "the prepared text in '%s' is damaged and will be prepared again: %s", folder, error
                )
            return None

    contents = existing()
    reused = contents is not None
    if contents is None:
        try:
            data.prepared.mkdir(parents=True, exist_ok=True)
            with locked(
                data.prepared, lambda: report(f"Waiting for another process that prepares in {data.prepared}")
            ):
                reused = existing(warn=True) is not None
                if not reused:
                    _prepare_folder(data, subwords, folder, valid, report)
        except OSError as error:
            raise ResourceError(
                f"cannot write the prepared text to '{data.prepared}': {error.strerror or error}; "
                "free some disk space, or choose another folder with --set data.prepared=FOLDER."
            ) from None
        contents = existing()
        if contents is None:
            raise ResourceError(f"the prepared text in '{folder}' cannot be read back; check the disk.")
    return Prepared(
        folder=folder,
        fingerprint=fingerprint,
        subwords=contents.subwords,
        train=contents.train,
        valid_source=[source if data.is_paired else "" for source, _ in valid],
        valid_target=[target for _, target in valid],
        report=contents.report,
        data=data,
        kind=subwords.kind,
        reused=reused,
    )


@functools.cache
def _warn(message: str) -> None:
    """Log a warning only once, although a comparison prepares the same text for each of its runs."""
    logger.warning("%s", message)


class _Contents(NamedTuple):
    """The contents of a folder of prepared text."""

    report: CleaningReport
    train: TokenStore
    subwords: Subwords


def _read_folder(folder: Path, *, normalise_invisible: bool = False) -> _Contents | None:
    """Return the contents of `folder`; None if it does not exist.

    Raises:
        DataError: it is damaged.
    """
    if not folder.exists():
        return None
    try:
        record = parse_checked(read_regular(folder / RECORD))
        # Records of earlier versions have no checksums. Those of the store's files are in its header.
        for name, digest in record.get("files", {}).items():
            if sha256_of(folder / Path(name).name) != digest:
                raise DataError(f"'{folder / name}' does not match its SHA-256 checksum in {RECORD}.")
        report = CleaningReport(**record["report"])
        store = TokenStore.open(folder)
        if ((folder / KEPT).stat().st_size, len(store)) != (report.read, report.kept):
            raise DataError(f"its files do not have {report.read:,} pairs of which {report.kept:,} are kept.")
        return _Contents(report, store, Subwords.load(folder, normalise_invisible=normalise_invisible))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(str(error)) from error


def _fingerprint(data: DataSettings, subwords: SubwordSettings) -> str:
    settings = {
        "version": VERSION,
        "cleaning": data.cleaning.model_dump(mode="json"),
        "subwords": subwords.model_dump(mode="json", exclude={*UNPREPARED, *LATER}),
        # Included only if they are set, so that text prepared before these settings existed is still found.
        **(
            {"model": _digests(read_subwords(subwords.model, subwords, paired=data.is_paired))}
            if subwords.model
            else {}
        ),
        **{name: value for name in LATER if (value := getattr(subwords, name))},
        **({"exclude_validation": True} if data.exclude_validation else {}),
    }
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16)
    for path in (*data.training_text(), *data.validation_text()):
        if path is None:
            digest.update(b"no target")
            continue
        content = hashlib.blake2b(digest_size=16)
        for block in read_blocks(path):
            content.update(block)
        digest.update(content.digest())
    return digest.hexdigest()


def _digests(subwords: Subwords) -> list[str]:
    return [subwords.source.fingerprint, subwords.target.fingerprint]


def _prepare_folder(
    data: DataSettings,
    settings: SubwordSettings,
    folder: Path,
    valid: list[tuple[str, str]],
    on_progress: Progress,
) -> None:
    excluded = frozenset(pair_digest(*pair) for pair in valid) if data.exclude_validation else frozenset()

    def pairs() -> Iterator[tuple[str, str]]:
        read = read_parallel(*data.training_text())
        return (pair for pair in read if pair_digest(*pair) not in excluded) if excluded else read

    on_progress(f"Reading {' and '.join(map(str, filter(None, data.training_text())))}")
    if data.cleaning.enabled and data.cleaning.drop_empty:
        count_usable(*data.training_text())
    count, blank = 0, 0
    for source, target in pairs():
        count += 1
        blank += not (source.strip() or target.strip())
    if blank == count:
        names = " and ".join(f"'{path}'" for path in data.training_text() if path is not None)
        raise DataError(
            f"{names} {'hold' if data.is_paired else 'holds'} only empty lines; nothing can be learnt from them.",
            path=data.train_source,
        )
    if settings.model is not None:
        subwords = read_subwords(settings.model, settings, paired=data.is_paired)
    else:
        on_progress(f"Learning subwords from {count:,} {'pairs' if data.is_paired else 'lines'}")
        subwords = train_subwords(pairs, settings, count, VOCABULARY_SEED, paired=data.is_paired)
    with complete_folder(folder, _is_sound) as unfinished:
        subwords.save(unfinished)
        on_progress("Splitting the text into pieces")
        report = _write_store(
            PairCleaner(data.cleaning, excluded=excluded),
            read_parallel(*data.training_text()),
            subwords,
            unfinished,
            is_paired=data.is_paired,
        )
        if not report.kept:
            raise DataError(
                f"cleaning left out all {report.read:,} training pairs: {report.describe()}; relax data.cleaning, or set "
                "data.cleaning.enabled=false."
            )
        files = {path.name: sha256_of(path) for path in sorted(unfinished.iterdir()) if _in_record(path.name)}
        record = checked_json({"report": dataclasses.asdict(report), "files": files})
        (unfinished / RECORD).write_text(record, "utf-8")


def _is_sound(folder: Path) -> bool:
    try:
        return _read_folder(folder) is not None
    except DataError:
        return False


def _in_record(name: str) -> bool:
    """Whether the record contains the checksum of a file; those of large files are in the header of the store."""
    return name in (KEPT, HEADER) or name.endswith(".model")


def _write_store(
    cleaner: PairCleaner,
    pairs: Iterator[tuple[str, str]],
    subwords: Subwords,
    folder: Path,
    *,
    is_paired: bool = True,
) -> CleaningReport:
    largest = max(subwords.source.size, subwords.target.size) - 1
    with TokenStoreWriter(folder, largest) as store, (folder / KEPT).open("wb") as decisions:
        for chunk in chunks_of(pairs):
            targets = subwords.target.encode_lines([target for _, target in chunk])
            sources = subwords.source.encode_lines([source for source, _ in chunk]) if is_paired else targets
            is_kept = [
                cleaner.keeps(*pair, len(source), len(target))
                for pair, source, target in zip(chunk, sources, targets, strict=True)
            ]
            decisions.write(np.array(is_kept, np.uint8).tobytes())
            kept = list(itertools.compress(targets, is_kept))
            store.write(list(itertools.compress(sources, is_kept)) if is_paired else [[]] * len(kept), kept)
    return cleaner.report


def chunks_of(pairs: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield the pairs in lists of `CHUNK`, so that memory does not grow with the text."""
    while chunk := list(itertools.islice(pairs, CHUNK)):
        yield chunk
