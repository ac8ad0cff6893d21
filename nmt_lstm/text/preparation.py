"""Preparation: text becomes vocabularies and a token store, once for the same text; the target side of text without pairs."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nmt_lstm.config.piece_kinds import PIECE_KINDS
from nmt_lstm.config.schema import DataSettings, SubwordSettings
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import complete_folder, resumable_folder
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of
from nmt_lstm.files.lock import locked
from nmt_lstm.files.regular import read_regular
from nmt_lstm.files.write_errors import write_remedy
from nmt_lstm.text.cleaning import CleaningReport, PairSet
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.corpus_checks import corpus_warnings
from nmt_lstm.text.fingerprint import fingerprints_of
from nmt_lstm.text.labels import (
    check_validation_labels,
    label_vocabulary,
    labels_of,
    subwords_with_labels,
    texts_of,
)
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.text.store_progress import PROGRESS, StoreProgress
from nmt_lstm.text.store_writing import CHECKPOINT_PAIRS, KEPT, write_store
from nmt_lstm.text.subwords import Subwords, different_size, read_subwords, train_subwords
from nmt_lstm.text.survey import TextSize, survey
from nmt_lstm.text.tags import with_tags
from nmt_lstm.text.text_file import check_rereadable
from nmt_lstm.text.text_form import TextForm
from nmt_lstm.text.token_store import HEADER, TokenStore
from nmt_lstm.text.validation_text import ValidationText, read_validation

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["check_vocabulary", "prepare", "prepare_text"]

# The vocabulary is part of the data, not of the run: runs with different seeds must be comparable.
VOCABULARY_SEED = 1
RECORD = "prepared.json"
UNFINISHED = ".unfinished"

logger = logging.getLogger(__name__)
Progress = Callable[[str], None]


def prepare(run: RunSettings, on_progress: Progress | None = None, *, jobs: int | None = None) -> Prepared:
    """Return the prepared text of a run: `prepare_text` with its ``run.data`` and ``run.subwords``.

    Raises:
        DataError: the text is missing, unreadable, misaligned or empty.
        ResourceError: the disk is full.
    """
    return prepare_text(run.data, run.subwords, on_progress, jobs=jobs)


def check_vocabulary(data: DataSettings, subwords: SubwordSettings) -> None:
    """Check the vocabularies of `subwords.model`, if it is set, before any text is read.

    Raises:
        ConfigurationError: they do not suit other settings.
        DataError: they cannot be read.
    """
    if subwords.model is None:
        return
    if data.targets == "labels":
        texts_of(subwords.model, subwords)
    else:
        read_subwords(subwords.model, with_tags(subwords, data.tags()), paired=data.is_paired)


def prepare_text(
    data: DataSettings,
    subwords: SubwordSettings,
    on_progress: Progress | None = None,
    *,
    jobs: int | None = None,
) -> Prepared:
    """Return prepared text; it is prepared now unless the same text was prepared before with the same settings.

    It is stored in ``data.prepared / FINGERPRINT``, which appears only when it is complete. What an interrupted call has
    written of a long text is continued.

    Args:
        data: the text, and how to clean it.
        subwords: how to split it into pieces.
        on_progress: called with a sentence at each stage.
        jobs: number of processes that split a long text; by default one for each core.

    Raises:
        DataError: the text is missing, unreadable, misaligned or empty.
        ResourceError: the disk is full.
    """
    report = on_progress or (lambda _: None)
    check_vocabulary(data, subwords)
    check_rereadable(*data.training_files(), *data.validation_files())
    subwords = with_tags(subwords, data.tags())
    validation = tuple(read_validation(each) for each in data.validation_sets())
    for warning in corpus_warnings(data):
        _warn(warning)
    fingerprint, earlier, texts = fingerprints_of(data, subwords)
    folder = data.prepared / fingerprint[:16]
    if not folder.exists() and (data.prepared / earlier[:16]).exists():
        fingerprint, folder = earlier, data.prepared / earlier[:16]
    prepared = functools.partial(
        Prepared,
        folder=folder,
        fingerprint=fingerprint,
        texts=texts,
        validation=validation,
        data=data,
        kind=subwords.kind,
    )
    if data.stream:
        assert subwords.model is not None  # the schema has refused a stream without a vocabulary
        vocabularies = read_subwords(subwords.model, subwords)
        return prepared(subwords=vocabularies, store=None, reports=(), reused=False)

    def existing(*, warn: bool = False) -> _Contents | None:
        try:
            return _read_folder(folder, TextForm.of(subwords))
        except DataError as error:
            if warn:
                logger.warning("the prepared text in '%s' will be prepared again: %s", folder, error)
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
                    _prepare_folder(data, subwords, folder, validation, report, jobs)
        except OSError as error:
            raise ResourceError(
                f"cannot write the prepared text to '{data.prepared}': {error.strerror or error}; "
                f"{write_remedy(error)}, or choose another folder with --set data.prepared=FOLDER."
            ) from None
        contents = existing()
        if contents is None:
            raise ResourceError(f"the prepared text in '{folder}' cannot be read back; check the disk.")
    read = CleaningReport.total(contents.reports).read
    if data.targets == "labels":
        check_validation_labels(data, labels_of(contents.subwords.target))
    elif reused and (size := different_size(contents.subwords, subwords, read)):
        logger.warning(
            "the vocabulary learnt from this text has %d pieces, not subwords.vocabulary_size = %d, which the text does not "
            "allow.", size, subwords.vocabulary_size,
        )  # fmt: skip
    return prepared(subwords=contents.subwords, store=contents.train, reports=contents.reports, reused=reused)


@functools.cache
def _warn(message: str) -> None:
    """Log a warning only once, although a comparison prepares the same text for each of its runs."""
    logger.warning("%s", message)


class _Contents(NamedTuple):
    """The contents of a folder of prepared text."""

    reports: tuple[CleaningReport, ...]
    train: TokenStore
    subwords: Subwords


def _read_folder(folder: Path, form: TextForm) -> _Contents | None:
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
        # Text of a single corpus has only the sum.
        reports = tuple(CleaningReport(**each) for each in record.get("corpora", [record["report"]]))
        report = CleaningReport.total(reports)
        store = TokenStore.open(folder)
        if ((folder / KEPT).stat().st_size, len(store)) != (report.read, report.kept):
            raise DataError(f"its files do not have {report.read:,} pairs of which {report.kept:,} are kept.")
        return _Contents(reports, store, Subwords.load(folder, form=form))
    except OSError as error:
        raise DataError(f"cannot read '{error.filename}': {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"'{folder / RECORD}' is damaged: {error}.") from error


def _prepare_folder(
    data: DataSettings,
    settings: SubwordSettings,
    folder: Path,
    validation: tuple[ValidationText, ...],
    on_progress: Progress,
    jobs: int | None,
) -> None:
    excluded = PairSet(pair for each in validation for pair in each.pairs() if data.exclude_validation)
    form = TextForm.of(settings)
    with resumable_folder(folder.with_name(f".{folder.name}{UNFINISHED}"), PROGRESS) as unfinished:
        progress = StoreProgress.read_from(unfinished)
        if progress is not None and _vocabularies(unfinished) == progress.vocabularies:
            subwords = Subwords.load(unfinished, form=form)
            on_progress(f"Continuing after {progress.read:,} pairs that an earlier run split")
        else:
            size, subwords = _learn_vocabularies(data, settings, excluded, on_progress)
            subwords.save(unfinished)
            progress = StoreProgress(size.pairs, _vocabularies(unfinished))
            if size.pairs >= CHECKPOINT_PAIRS:
                progress.write_to(unfinished)
        on_progress("Splitting the text into pieces")
        write = functools.partial(write_store, data, subwords, unfinished, excluded, jobs=jobs)
        try:
            reports = write(progress)
        except ValueError as problem:  # what was written before is damaged
            logger.warning("%s; the text is split into pieces from its beginning.", problem)
            reports = write(StoreProgress(progress.pairs, progress.vocabularies))
        report = CleaningReport.total(reports)
        if not report.kept:
            raise DataError(
                f"cleaning left out all {report.read:,} training pairs: {report.describe()}; relax data.cleaning, or set "
                "data.cleaning.enabled=false."
            )
        record = {
            "report": dataclasses.asdict(report),
            **({"corpora": [dataclasses.asdict(each) for each in reports]} if len(reports) > 1 else {}),
            "files": {
                path.name: sha256_of(path) for path in sorted(unfinished.iterdir()) if _in_record(path.name)
            },
        }
        (unfinished / RECORD).write_text(checked_json(record), "utf-8")
        with complete_folder(folder, lambda path: _is_sound(path, form)) as complete:
            for path in unfinished.iterdir():
                path.rename(complete / path.name)


def _learn_vocabularies(
    data: DataSettings, settings: SubwordSettings, excluded: PairSet, on_progress: Progress
) -> tuple[TextSize, Subwords]:
    """Return the size of the text, and its vocabularies, learnt or read."""
    corpora = data.training_corpora()

    def pairs() -> Iterator[tuple[str, str]]:
        read = itertools.chain.from_iterable(read_parallel(*corpus.sides()) for corpus in corpora)
        return (pair for pair in read if not excluded.holds(*pair)) if excluded else read

    names = " and ".join(map(str, data.training_files()))
    on_progress(f"Reading {names if len(corpora) == 1 else f'{len(corpora)} corpora'}")
    size = survey(data, excluded)
    characters = (size.source_characters, size.target_characters)
    if data.targets == "labels":
        labels = label_vocabulary((label for _, label in pairs()), TextForm.of(settings))
        check_validation_labels(data, labels_of(labels))
        return size, subwords_with_labels(
            pairs, labels, settings, size.pairs, VOCABULARY_SEED, characters=characters[0]
        )
    if settings.model is not None:
        return size, read_subwords(settings.model, settings, paired=data.is_paired)
    if settings.kind != "byte":
        plural = PIECE_KINDS[settings.kind].plural
        on_progress(f"Learning {plural} from {size.pairs:,} {'pairs' if data.is_paired else 'lines'}")
    return size, train_subwords(
        pairs, settings, size.pairs, VOCABULARY_SEED, paired=data.is_paired, characters=characters
    )


def _vocabularies(folder: Path) -> dict[str, str]:
    """Return the checksums of the vocabularies in a folder."""
    return {path.name: sha256_of(path) for path in sorted(folder.glob("*.model"))}


def _is_sound(folder: Path, form: TextForm) -> bool:
    try:
        return _read_folder(folder, form) is not None
    except DataError:
        return False


def _in_record(name: str) -> bool:
    """Whether the record contains the checksum of a file; those of large files are in the header of the store."""
    return name in (KEPT, HEADER) or name.endswith(".model")
