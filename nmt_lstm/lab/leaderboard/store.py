"""The files of a board: rows that are only ever appended, texts by their checksum, statistics that can be made anew."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.files.checksums import sha256_of, sha256_of_content
from nmt_lstm.files.lock import locked
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import open_regular
from nmt_lstm.lab.leaderboard.cached_statistics import CachedStatistics
from nmt_lstm.lab.leaderboard.record import Row, Withdrawal, line_of, record_of
from nmt_lstm.lab.leaderboard.rows_head import RowsHead
from nmt_lstm.lab.leaderboard.test_sets import TestSet, TestSets, text_bytes

__all__ = ["BoardFiles", "current_rows"]

ROWS, TEXTS, STATISTICS = "rows.jsonl", "texts", "statistics"

Record = Row | Withdrawal
logger = logging.getLogger(__name__)


def current_rows(records: Sequence[Record]) -> list[Row]:
    """Return the newest row of each system on each test set, unless it was withdrawn, in the order of their first."""
    rows: dict[tuple[str, str], Row] = {}
    for record in records:
        key = (record.system, record.test_set)
        if isinstance(record, Row):
            rows[key] = record
        else:
            rows.pop(key, None)
    return list(rows.values())


class BoardFiles:
    """The folder of a board.

    Writers take a lock on the file of rows; readers share it. A row is written by one call and reaches the disk
    before `append` returns; its texts are there before it is.

    Args:
        folder: the board's folder.
        test_sets: where texts are read that the board has no copy of.
        copy_test_sets: whether it gets copies of them.
    """

    def __init__(
        self, folder: Path, test_sets: TestSets | None = None, *, copy_test_sets: bool = True
    ) -> None:
        self.folder = folder
        self._test_sets, self._copies = test_sets, copy_test_sets
        self._rows = folder / ROWS
        self._head = RowsHead(folder)
        self.cache = CachedStatistics(folder / STATISTICS)
        """Statistics that can be recomputed."""

    def lines(self) -> list[tuple[str, str]]:
        """Return (place, line) of all records, without one that an interruption left half written."""
        whole, half = self._split(self._read_rows())
        if half:
            logger.warning(
                "%s ends in a half-written row; it is left out, and the next add removes it.", self._rows
            )
        return self._placed(whole)

    def records(self) -> list[Record]:
        """Return all records in the order in which they were added.

        Raises:
            DataError: a line is damaged, was changed, or is of a newer version.
        """
        records = [record_of(line, place) for place, line in self.lines()]
        if missing := self.missing_rows():
            logger.warning("%s", missing)
        return records

    def missing_rows(self) -> str:
        """Return in a sentence that rows were lost or changed since the last one was added; empty if none were."""
        return self._head.problem(self._read_rows())

    def append(
        self,
        record: Record,
        *,
        texts: Sequence[Sequence[str]] = (),
        check: Callable[[list[Row]], bool] = lambda _: True,
    ) -> bool:
        """Add a record at the end, whatever other processes add at the same time.

        Args:
            record: the row or withdrawal.
            texts: the texts that it names.
            check: called with the current rows while no one else can write; it may raise, or return False, and then
                nothing is added.

        Returns:
            Whether it was added.

        Raises:
            DataError: the file of rows is damaged, or rows are missing.
            ResourceError: the disk is full or cannot be written; nothing was added.
        """
        addition = f"{line_of(record)}\n".encode()
        try:
            file = os.open(self._rows, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o644)
        except OSError as problem:
            raise self._unwritable(problem) from problem
        with os.fdopen(file, "rb+", buffering=0) as stream, locked(file):
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise DataError(f"'{self._rows}' is a pipe or a device, not the rows of a board.")
            data = stream.read()
            whole, half = self._split(data)
            current = current_rows([record_of(line, place) for place, line in self._placed(whole)])
            if missing := self._head.problem(data):
                raise DataError(missing)
            if not check(current):
                return False
            end = len(data) - len(half)
            try:
                for text in texts:
                    self._put_text(text)
                if half:
                    logger.warning(
                        "%s ended in a row that was only half written; it was removed.", self._rows
                    )
                    os.ftruncate(file, end)
                _write_all(file, (b"" if data[:end].endswith(b"\n") or not end else b"\n") + addition)
                os.fsync(file)
            except OSError as problem:
                os.ftruncate(file, end)
                raise self._unwritable(problem) from problem
            try:
                self._head.write(os.pread(file, os.fstat(file).st_size, 0))
            except OSError as problem:  # the row is there, and the head before it still fits
                logger.debug("the head of the rows was not written: %s", problem)
        return True

    def text(self, digest: str) -> list[str]:
        """Return the lines of a stored text, or of a test set's that is not stored.

        Raises:
            DataError: it is missing or was changed.
        """
        path = self.text_path(digest)
        if not path.is_file():
            found = self._test_sets.text(digest) if self._test_sets is not None else None
            if found is None:
                raise DataError(f"'{path}' is missing; copy the whole board again, or restore the file.")
            return found
        data = path.read_bytes()
        if sha256_of_content(data) != digest:
            raise DataError(
                f"'{path}' was changed: its SHA-256 is not its name; restore the file from a copy."
            )
        return data.decode("utf-8").split("\n")[:-1]

    def kept(self, test_set: TestSet, output: Sequence[str]) -> list[Sequence[str]]:
        """Return the texts to be stored with an output on a test set."""
        return [*([test_set.sources, *test_set.references] if self._copies else []), output]

    def text_path(self, digest: str) -> Path:
        """Return where the text of a digest is."""
        return self.folder / TEXTS / f"{digest}.txt"

    def texts(self) -> set[str]:
        """Return the digests of all stored texts."""
        return {path.stem for path in (self.folder / TEXTS).glob("*.txt")}

    def _read_rows(self) -> bytes:
        try:
            with open_regular(self._rows) as file, locked(file.fileno(), shared=True):
                return file.read()
        except FileNotFoundError:
            return b""

    def _put_text(self, lines: Sequence[str]) -> None:
        data = text_bytes(lines)
        digest = sha256_of_content(data)
        path = self.text_path(digest)
        if path.is_file() and sha256_of(path) == digest:
            return
        write_atomically(path, data)

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the whole lines and what an interrupted writer left of another."""
        *whole, tail = data.split(b"\n")
        if tail:
            try:
                parse_json(tail)
            except ValueError:
                return whole, tail
            whole.append(tail)  # an editor took the last line end away
        return whole, b""

    def _placed(self, lines: Sequence[bytes]) -> list[tuple[str, str]]:
        return [
            (f"'{self._rows}', line {number},", line.decode("utf-8", errors="replace"))
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]

    def _unwritable(self, problem: OSError) -> ResourceError:
        return ResourceError(
            f"the board '{self.folder}' cannot be written ({problem.strerror or problem}); nothing was added to it."
        )


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
