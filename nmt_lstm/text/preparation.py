"""Preparation: text becomes vocabularies and a token store, once for the same text; the target side of text without pairs."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.config.piece_kinds import PIECE_KINDS, PieceKindName
from nmt_lstm.config.schema import DataSettings, SubwordSettings
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import complete_folder
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of
from nmt_lstm.files.lock import locked
from nmt_lstm.files.regular import read_regular
from nmt_lstm.text.cleaning import CleaningReport, PairCleaner, pair_digest
from nmt_lstm.text.corpus import count_usable, read_parallel
from nmt_lstm.text.corpus_checks import corpus_warnings
from nmt_lstm.text.epoch_parts import EpochPart
from nmt_lstm.text.fingerprint import fingerprint_of
from nmt_lstm.text.labels import check_validation_labels, subwords_with_labels
from nmt_lstm.text.special_pieces import END
from nmt_lstm.text.subwords import Subwords, read_subwords, train_subwords
from nmt_lstm.text.tags import tag_pieces, with_tags
from nmt_lstm.text.text_file import check_rereadable
from nmt_lstm.text.text_form import TextForm
from nmt_lstm.text.token_store import HEADER, TokenStore, TokenStoreWriter
from nmt_lstm.text.validation_text import ValidationText, read_validation

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["KEPT", "Prepared", "chunks_of", "prepare", "prepare_text"]

CHUNK = 10_000
# The vocabulary is part of the data, not of the run: runs with different seeds must be comparable.
VOCABULARY_SEED = 1
RECORD = "prepared.json"
# A file with one byte for each line of the training text: whether its pair is in the store.
KEPT = "kept"

logger = logging.getLogger(__name__)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """Prepared text: vocabularies, training pairs as piece ids, and validation text."""

    folder: Path
    fingerprint: str
    subwords: Subwords
    train: TokenStore
    """The pairs of all corpora, one corpus after the other."""
    validation: tuple[ValidationText, ...]
    """The validation sets."""
    reports: tuple[CleaningReport, ...]
    """What was left out of each corpus."""
    data: DataSettings
    """The text that was prepared, and how it was cleaned."""
    kind: PieceKindName
    """The kind of pieces."""
    reused: bool
    """Whether it had been prepared before."""

    @property
    def report(self) -> CleaningReport:
        """What was left out of the training text."""
        return CleaningReport.total(self.reports)

    @property
    def valid_source(self) -> list[str]:
        """The source side of the validation text: the lines of all sets."""
        return [line for each in self.validation for line in each.source]

    @property
    def valid_target(self) -> list[str]:
        """The target side of the validation text: the lines of all sets."""
        return [line for each in self.validation for line in each.target]

    @property
    def parts(self) -> tuple[EpochPart, ...]:
        """How many pairs each corpus has, and its weight."""
        corpora = zip(self.data.training_corpora(), self.reports, strict=True)
        return tuple(EpochPart(report.kept, corpus.weight) for corpus, report in corpora)

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
    check_rereadable(*data.training_files(), *data.validation_files())
    subwords = with_tags(subwords, data.tags())
    validation = tuple(read_validation(each) for each in data.validation_sets())
    for warning in corpus_warnings(data):
        _warn(warning)
    fingerprint = fingerprint_of(data, subwords)
    folder = data.prepared / fingerprint[:16]

    def existing(*, warn: bool = False) -> _Contents | None:
        try:
            return _read_folder(folder, TextForm.of(subwords))
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
                    _prepare_folder(data, subwords, folder, validation, report)
        except OSError as error:
            raise ResourceError(
                f"cannot write the prepared text to '{data.prepared}': {error.strerror or error}; "
                "free some disk space, or choose another folder with --set data.prepared=FOLDER."
            ) from None
        contents = existing()
        if contents is None:
            raise ResourceError(f"the prepared text in '{folder}' cannot be read back; check the disk.")
    if data.targets == "labels":
        check_validation_labels(validation, contents.subwords)
    return Prepared(
        folder=folder,
        fingerprint=fingerprint,
        subwords=contents.subwords,
        train=contents.train,
        validation=validation,
        reports=contents.reports,
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
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(str(error)) from error


def _prepare_folder(
    data: DataSettings,
    settings: SubwordSettings,
    folder: Path,
    validation: tuple[ValidationText, ...],
    on_progress: Progress,
) -> None:
    excluded = (
        frozenset(pair_digest(*pair) for each in validation for pair in each.pairs())
        if data.exclude_validation
        else frozenset()
    )
    corpora = data.training_corpora()

    def pairs() -> Iterator[tuple[str, str]]:
        read = itertools.chain.from_iterable(read_parallel(*corpus.sides()) for corpus in corpora)
        return (pair for pair in read if pair_digest(*pair) not in excluded) if excluded else read

    names = " and ".join(map(str, data.training_files()))
    on_progress(f"Reading {names if len(corpora) == 1 else f'{len(corpora)} corpora'}")
    for corpus in corpora:
        rules = corpus.rules(data.cleaning)
        if rules.enabled and rules.drop_empty:
            count_usable(*corpus.sides())
    count, blank = 0, 0
    for source, target in pairs():
        count += 1
        blank += not (source.strip() or target.strip())
    if blank == count:
        paths = data.training_files()
        names = " and ".join(f"'{path}'" for path in paths)
        hold = "hold" if len(paths) > 1 else "holds"
        raise DataError(f"{names} {hold} only empty lines; nothing can be learnt from them.", path=paths[0])
    if data.targets == "labels":
        subwords = subwords_with_labels(pairs, settings, count, VOCABULARY_SEED)
    elif settings.model is not None:
        subwords = read_subwords(settings.model, settings, paired=data.is_paired)
    else:
        if settings.kind != "byte":
            plural = PIECE_KINDS[settings.kind].plural
            on_progress(f"Learning {plural} from {count:,} {'pairs' if data.is_paired else 'lines'}")
        subwords = train_subwords(pairs, settings, count, VOCABULARY_SEED, paired=data.is_paired)
    form = TextForm.of(settings)
    with complete_folder(folder, lambda path: _is_sound(path, form)) as unfinished:
        subwords.save(unfinished)
        on_progress("Splitting the text into pieces")
        reports = _write_store(data, subwords, unfinished, excluded)
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


def _is_sound(folder: Path, form: TextForm) -> bool:
    try:
        return _read_folder(folder, form) is not None
    except DataError:
        return False


def _in_record(name: str) -> bool:
    """Whether the record contains the checksum of a file; those of large files are in the header of the store."""
    return name in (KEPT, HEADER) or name.endswith(".model")


def _write_store(
    data: DataSettings, subwords: Subwords, folder: Path, excluded: AbstractSet[bytes]
) -> list[CleaningReport]:
    """Write the pieces of all corpora, and return what was left out of each."""
    largest = max(subwords.source.size, subwords.target.size) - 1
    cleaners = []
    with TokenStoreWriter(folder, largest) as store, (folder / KEPT).open("wb") as decisions:
        for corpus in data.training_corpora():
            cleaner = PairCleaner(corpus.rules(data.cleaning), excluded=excluded)
            cleaners.append(cleaner)
            pairs = read_parallel(*corpus.sides())
            tag = tag_pieces(subwords.source, corpus.tag) if data.is_paired else None
            write_pairs(pairs, tag, cleaner, subwords, store, decisions)
    return [cleaner.report for cleaner in cleaners]


def write_pairs(
    pairs: Iterator[tuple[str, str]],
    tag: Sequence[int] | None,
    cleaner: PairCleaner,
    subwords: Subwords,
    store: TokenStoreWriter,
    decisions: BinaryIO,
) -> None:
    """Write the pieces of the pairs that a cleaner keeps to a store, and a byte for each pair to `decisions`.

    The pieces of `tag` are put in front of each source side; without pairs it is None, and source sides are empty.
    """
    start, form = 0, subwords.source.form
    for chunk in chunks_of(pairs):
        targets = subwords.target.encode_lines([target for _, target in chunk])
        sources = targets
        if tag is not None:
            sources = subwords.source.encode_lines(
                [form.learning_source(source, number) for number, (source, _) in enumerate(chunk, start)]
            )
        start += len(chunk)
        is_kept = [
            cleaner.keeps(*pair, len(source), len(target))
            for pair, source, target in zip(chunk, sources, targets, strict=True)
        ]
        decisions.write(np.array(is_kept, np.uint8).tobytes())
        kept = itertools.compress(sources, is_kept)
        store.write(
            [[] if tag is None else [*tag, *source] if tag else source for source in kept],
            list(itertools.compress(targets, is_kept)),
        )


def chunks_of(pairs: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield the pairs in lists of `CHUNK`, so that memory does not grow with the text."""
    while chunk := list(itertools.islice(pairs, CHUNK)):
        yield chunk
