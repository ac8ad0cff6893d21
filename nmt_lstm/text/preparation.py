"""Preparation: parallel text made into vocabularies and a token store, once for unchanged text and settings."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import itertools
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of
from nmt_lstm.files.left_overs import remove_left_overs, temporary_prefix
from nmt_lstm.files.lock import locked
from nmt_lstm.files.regular import read_regular
from nmt_lstm.text.cleaning import CleaningReport, PairCleaner, pair_digest
from nmt_lstm.text.corpus import check_rereadable, count_usable, read_blocks, read_parallel
from nmt_lstm.text.corpus_checks import corpus_warnings
from nmt_lstm.text.special_pieces import END
from nmt_lstm.text.subword_sampling import SAMPLING_VERSION, sentence_seed
from nmt_lstm.text.subwords import Subwords, train_subwords
from nmt_lstm.text.token_store import HEADER, TokenStore, TokenStoreWriter

__all__ = ["Prepared", "epoch_store", "prepare"]

# Raised when the same text and settings would be prepared to something else.
VERSION = 2
CHUNK = 10_000
# The vocabulary is part of the data, not of the run: runs of other seeds must stay comparable.
VOCABULARY_SEED = 1
RECORD = "prepared.json"
# One byte for each line of the training text: whether its pair is in the store.
KEPT = "kept"
UNFINISHED = "unfinished"
logger = logging.getLogger(__name__)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """Prepared text."""

    folder: Path
    fingerprint: str
    subwords: Subwords
    train: TokenStore
    valid_source: list[str]
    valid_target: list[str]
    report: CleaningReport
    reused: bool
    """Whether it was found prepared."""

    def target_counts(self) -> NDArray[np.int64]:
        """(V,): how often each piece of the target vocabulary is a label in training; END closes every sentence."""
        counts = self.train.target.counts(self.subwords.target.size)
        counts[END] += len(self.train)
        return counts


def prepare(run: RunSettings, on_progress: Progress | None = None) -> Prepared:
    """Return the prepared text of a run, made now if the same text was not prepared before with the same settings.

    It lies in ``data.prepared / FINGERPRINT`` and appears there only when complete.

    Args:
        run: the settings; `data` and `subwords` count.
        on_progress: told in words what is done.

    Raises:
        DataError: the text cannot be used.
        ResourceError: the disk is full.
    """
    say = on_progress or (lambda _: None)
    data = run.data
    check_rereadable(data.train_source, data.train_target, *data.validation_text())
    valid = list(read_parallel(*data.validation_text()))
    for warning in corpus_warnings(data):
        _warn(warning)
    fingerprint = _fingerprint(run)
    folder = data.prepared / fingerprint[:16]
    found = functools.partial(_found, folder, fingerprint, valid, run.subwords.normalise_invisible)
    prepared = found()
    if prepared is not None:
        return dataclasses.replace(prepared, reused=True)
    try:
        data.prepared.mkdir(parents=True, exist_ok=True)
        with locked(
            data.prepared, lambda: say(f"Waiting for another process that prepares in {data.prepared}")
        ):
            prepared = found(warn=True)
            if prepared is not None:
                return dataclasses.replace(prepared, reused=True)
            _prepare_anew(run, folder, valid, say)
    except OSError as error:
        raise ResourceError(
            f"Cannot write the prepared text to '{data.prepared}': {error.strerror or error}. "
            "Make room, or name another folder with --set data.prepared=FOLDER."
        ) from None
    prepared = found()
    if prepared is None:
        raise ResourceError(f"What was written to '{folder}' cannot be read back. Check the disk.")
    return prepared


@functools.cache
def _warn(message: str) -> None:
    """Log a warning once: a comparison prepares the same text for each of its runs."""
    logger.warning("%s", message)


def _found(
    folder: Path,
    fingerprint: str,
    valid: list[tuple[str, str]],
    normalise_invisible: bool,
    *,
    warn: bool = False,
) -> Prepared | None:
    """Return the prepared text in `folder`, or None where there is none or it is damaged."""
    if not folder.exists():
        return None
    try:
        report, train = _opened(folder)
        return Prepared(
            folder=folder,
            fingerprint=fingerprint,
            subwords=Subwords.load(folder, normalise_invisible=normalise_invisible),
            train=train,
            valid_source=[source for source, _ in valid],
            valid_target=[target for _, target in valid],
            report=report,
            reused=False,
        )
    except (DataError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if warn:
            logger.warning("The prepared text in '%s' is damaged and prepared again: %s", folder, error)
        return None


def _opened(folder: Path) -> tuple[CleaningReport, TokenStore]:
    try:
        record = parse_checked(read_regular(folder / RECORD))
    except ValueError as error:
        raise DataError(f"'{folder / RECORD}': {error}.") from None
    # Those of earlier versions have no checksums. The files of the store are in its own header.
    for name, digest in record.get("files", {}).items():
        if sha256_of(folder / Path(name).name) != digest:
            raise DataError(f"'{folder / name}' does not have the SHA-256 checksum that {RECORD} records.")
    report = CleaningReport(**record["report"])
    store = TokenStore.open(folder)
    if ((folder / KEPT).stat().st_size, len(store)) != (report.read, report.kept):
        raise DataError(f"Its files are not of {report.read:,} pairs of which {report.kept:,} are kept.")
    return report, store


def _fingerprint(run: RunSettings) -> str:
    settings = {
        "version": VERSION,
        "cleaning": run.data.cleaning.model_dump(mode="json"),
        "subwords": run.subwords.model_dump(mode="json", exclude={"sampling", "normalise_invisible"}),
        # Named only where they are on: text that was prepared before they were settings is found as it was.
        **({"normalise_invisible": True} if run.subwords.normalise_invisible else {}),
        **({"exclude_validation": True} if run.data.exclude_validation else {}),
    }
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16)
    data = run.data
    for path in (data.train_source, data.train_target, *data.validation_text()):
        content = hashlib.blake2b(digest_size=16)
        for block in read_blocks(path):
            content.update(block)
        digest.update(content.digest())
    return digest.hexdigest()


def _prepare_anew(run: RunSettings, folder: Path, valid: list[tuple[str, str]], say: Progress) -> None:
    data = run.data
    excluded = frozenset(pair_digest(*pair) for pair in valid) if data.exclude_validation else frozenset()

    def pairs() -> Iterator[tuple[str, str]]:
        read = read_parallel(data.train_source, data.train_target)
        return (pair for pair in read if pair_digest(*pair) not in excluded) if excluded else read

    say(f"Reading {data.train_source} and {data.train_target}")
    if data.cleaning.enabled and data.cleaning.drop_empty:
        count_usable(data.train_source, data.train_target)
    count = sum(1 for _ in pairs())
    if not any(source.strip() or target.strip() for source, target in pairs()):
        raise DataError(
            f"'{data.train_source}' and '{data.train_target}' hold only empty lines; nothing can be learnt."
        )
    say(f"Learning subwords from {count:,} pairs")
    subwords = train_subwords(pairs, run.subwords, count, VOCABULARY_SEED)
    remove_left_overs(data.prepared, folders=UNFINISHED)
    with tempfile.TemporaryDirectory(prefix=temporary_prefix(UNFINISHED), dir=data.prepared) as name:
        unfinished = Path(name) / "prepared"
        unfinished.mkdir()
        subwords.save(unfinished)
        say("Cutting the text into pieces")
        report = _write_store(
            PairCleaner(data.cleaning, excluded=excluded),
            read_parallel(data.train_source, data.train_target),
            subwords,
            unfinished,
        )
        if not report.kept:
            raise DataError(
                f"No training pair is left of {report.read:,}: {report.describe()}. "
                "Loosen data.cleaning, or set data.cleaning.enabled=false."
            )
        files = {path.name: sha256_of(path) for path in sorted(unfinished.iterdir()) if _in_record(path.name)}
        record = checked_json({"report": dataclasses.asdict(report), "files": files})
        (unfinished / RECORD).write_text(record, "utf-8")
        _put(unfinished, folder, lambda there: _found(there, "", [], False) is not None)


def _in_record(name: str) -> bool:
    """Whether the record has the checksum of a file; large ones have theirs in the header of the store."""
    return name in (KEPT, HEADER) or name.endswith(".model")


def _put(unfinished: Path, folder: Path, is_sound: Callable[[Path], bool]) -> None:
    """Give a finished folder its name, unless another process was faster; what is damaged there makes way."""
    try:
        unfinished.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        if not is_sound(folder):
            with contextlib.suppress(FileNotFoundError):  # another process made way first
                # Into the temporary folder, which goes away.
                folder.rename(unfinished.with_name("damaged"))
            _put(unfinished, folder, is_sound)


def _store_in(folder: Path) -> TokenStore | None:
    try:
        return TokenStore.open(folder)
    except DataError:
        return None


def _write_store(
    cleaner: PairCleaner, pairs: Iterator[tuple[str, str]], subwords: Subwords, folder: Path
) -> CleaningReport:
    largest = max(subwords.source.size, subwords.target.size) - 1
    with TokenStoreWriter(folder, largest) as store, (folder / KEPT).open("wb") as kept_file:
        for chunk in _batched(pairs):
            sources = subwords.source.encode_lines([source for source, _ in chunk])
            targets = subwords.target.encode_lines([target for _, target in chunk])
            kept = [
                cleaner.keeps(*pair, len(source), len(target))
                for pair, source, target in zip(chunk, sources, targets, strict=True)
            ]
            kept_file.write(np.array(kept, np.uint8).tobytes())
            store.write(list(itertools.compress(sources, kept)), list(itertools.compress(targets, kept)))
    return cleaner.report


def _batched(pairs: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    while chunk := list(itertools.islice(pairs, CHUNK)):
        yield chunk


def epoch_store(prepared: Prepared, run: RunSettings, epoch: int) -> TokenStore:
    """Return the store to train an epoch on: with subword sampling, cut anew, the same for the same seed and epoch.

    Args:
        prepared: the prepared text.
        run: the settings; `subwords.sampling` and `seed` count.
        epoch: from 0.

    Raises:
        DataError: the text has changed since it was prepared.
        ResourceError: the disk is full.
    """
    alpha = run.subwords.sampling
    if not alpha:
        return prepared.train
    folder = _sampled_folder(prepared, run, epoch)
    store = _store_in(folder)
    if store is not None:
        return store
    try:
        with locked(prepared.folder):
            store = _store_in(folder)  # another process of this run may have been faster
            if store is None:
                _sample_anew(prepared, run, epoch, folder)
    except OSError as error:
        raise ResourceError(
            f"Cannot write the sampled pieces to '{prepared.folder}': {error.strerror or error}. Make room."
        ) from None
    return TokenStore.open(folder) if store is None else store


def _sampled_folder(prepared: Prepared, run: RunSettings, epoch: int) -> Path:
    # What another version drew is not this seed's and must not be found.
    return prepared.folder / f"sampled-v{SAMPLING_VERSION}-{run.subwords.sampling}-{run.seed}-{epoch}"


def _sample_anew(prepared: Prepared, run: RunSettings, epoch: int, folder: Path) -> None:
    remove_left_overs(prepared.folder, folders=UNFINISHED)
    with tempfile.TemporaryDirectory(prefix=temporary_prefix(UNFINISHED), dir=prepared.folder) as name:
        unfinished = Path(name) / "store"
        unfinished.mkdir()
        _write_sampled(prepared, run, epoch, unfinished)
        _put(unfinished, folder, lambda there: _store_in(there) is not None)
    # Other processes of this run may still be opening the last epoch's.
    shutil.rmtree(_sampled_folder(prepared, run, epoch - 2), ignore_errors=True)


def _write_sampled(prepared: Prepared, run: RunSettings, epoch: int, folder: Path) -> None:
    kind, alpha = run.subwords.kind, run.subwords.sampling
    source, target = (
        side.sampler(kind, alpha) for side in (prepared.subwords.source, prepared.subwords.target)
    )
    kept = np.fromfile(prepared.folder / KEPT, np.uint8).astype(bool)
    pairs = read_parallel(run.data.train_source, run.data.train_target)
    largest = max(prepared.subwords.source.size, prepared.subwords.target.size) - 1
    start = 0
    with TokenStoreWriter(folder, largest) as store:
        for chunk in _batched(pairs):
            numbered = list(itertools.compress(enumerate(chunk, start), kept[start : start + len(chunk)]))
            start += len(chunk)
            # Seeds are those of lines, so that no draw depends on where a chunk or a process begins.
            store.write(
                [source(line, sentence_seed(run.seed, epoch, number, 0)) for number, (line, _) in numbered],
                [target(line, sentence_seed(run.seed, epoch, number, 1)) for number, (_, line) in numbered],
            )
    if start != len(kept):
        raise DataError(
            f"'{run.data.train_source}' has changed since it was prepared. Start the command again."
        )
