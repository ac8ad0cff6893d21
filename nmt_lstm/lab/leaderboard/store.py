"""The files of a board: append-only rows, texts named by their checksum, and cached statistics."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of, sha256_of_content
from nmt_lstm.files.lock import locked
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import open_regular, read_regular
from nmt_lstm.files.write_errors import write_remedy
from nmt_lstm.lab.leaderboard.cached_statistics import CachedStatistics
from nmt_lstm.lab.leaderboard.record import Record, Row, TextDigest, parse_record, to_line
from nmt_lstm.lab.leaderboard.test_sets import TestSet, TestSets, text_bytes

__all__ = ["BoardFiles", "current_rows"]

ROWS, HEAD, TEXTS, STATISTICS = "rows.jsonl", "rows.head.json", "texts", "statistics"

logger = logging.getLogger(__name__)


def current_rows(records: Sequence[Record]) -> list[Row]:
    """Return the newest row of each system on each test set unless it was withdrawn, in order of first appearance."""
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

    Writers lock the file of rows; readers share it. A row is written in one call and is on disk before `append`
    returns, its texts even earlier. Each row has a checksum; ``rows.head.json`` has the length and the checksum of the
    whole file, so that missing rows are detected. It is written after the row: an interruption leaves a file that is
    longer than the head says, never shorter. Boards from earlier versions have no head until something is added.

    Args:
        folder: the folder of the board.
        test_sets: the source of texts that the board has no copy of.
        copy_test_sets: whether to store copies of them.
    """

    def __init__(
        self, folder: Path, test_sets: TestSets | None = None, *, copy_test_sets: bool = True
    ) -> None:
        self.folder = folder
        self._test_sets, self._copies = test_sets, copy_test_sets
        self._rows, self._head = folder / ROWS, folder / HEAD
        self.cache = CachedStatistics(folder / STATISTICS)
        """Statistics that can be recomputed."""

    def lines(self) -> list[tuple[str, str]]:
        """Return (location, line) for all records, without a partial one left by an interruption."""
        complete, partial = _split(self._read_rows())
        if partial:
            logger.warning(
                "%s ends in a partial row; it is ignored, and the next add removes it.", self._rows
            )
        return self._located(complete)

    def records(self) -> list[Record]:
        """Return all records in the order in which they were added.

        Raises:
            DataError: a line is damaged, was changed, or comes from a newer version.
        """
        records = [parse_record(line, location) for location, line in self.lines()]
        if problem := self.missing_rows():
            logger.warning("%s", problem)
        return records

    def missing_rows(self) -> str:
        """Return a sentence if rows were lost or changed since the last one was added; otherwise an empty string."""
        return self._head_problem(self._read_rows())

    def append(
        self,
        record: Record,
        *,
        texts: Sequence[Sequence[str]] = (),
        check: Callable[[list[Row]], bool] = lambda _: True,
    ) -> bool:
        """Add a record at the end; other processes may add records at the same time.

        Args:
            record: the row or withdrawal.
            texts: the texts that it refers to.
            check: called with the current rows while no one else can write; nothing is added if it returns False or
                raises.

        Returns:
            Whether the record was added.

        Raises:
            DataError: the file of rows is damaged, or rows are missing.
            ResourceError: the disk is full or read-only; nothing was added.
        """
        addition = f"{to_line(record)}\n".encode()
        try:
            file = os.open(self._rows, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o644)
        except OSError as problem:
            raise self._unwritable(problem) from problem
        with os.fdopen(file, "rb+", buffering=0) as stream, locked(file):
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise DataError(
                    f"'{self._rows}' is a pipe or a device, not the rows of a board.", path=self._rows
                )
            data = stream.read()
            complete, partial = _split(data)
            current = current_rows([parse_record(line, where) for where, line in self._located(complete)])
            if missing := self._head_problem(data):
                raise DataError(missing)
            if not check(current):
                return False
            end = len(data) - len(partial)
            try:
                for text in texts:
                    self._store_text(text)
                if partial:
                    logger.warning("%s ended in a partial row, which was removed.", self._rows)
                    os.ftruncate(file, end)
                _write_all(file, (b"" if data[:end].endswith(b"\n") or not end else b"\n") + addition)
                os.fsync(file)
            except OSError as problem:
                os.ftruncate(file, end)
                raise self._unwritable(problem) from problem
            try:
                rows = os.pread(file, os.fstat(file).st_size, 0)
                head = {"bytes": len(rows), "sha256_of_rows": sha256_of_content(rows)}
                write_atomically(self._head, checked_json(head))
            except OSError as problem:  # the row is on disk, and the previous head still matches
                logger.debug("the head of the rows was not written: %s", problem)
        return True

    def text(self, digest: TextDigest) -> list[str]:
        """Return the lines of a stored text, or of a text of a test set that is not stored.

        Raises:
            DataError: it is missing or was changed.
        """
        path = self.text_path(digest)
        if not path.is_file():
            lines = self._test_sets.text(digest) if self._test_sets is not None else None
            if lines is None:
                raise DataError(
                    f"'{path}' is missing; copy the whole board again, or restore the file.", path=path
                )
            return lines
        data = path.read_bytes()
        if sha256_of_content(data) != digest:
            raise DataError(
                f"'{path}' was changed: its SHA-256 differs from its name; restore the file from a copy.",
                path=path,
            )
        return data.decode("utf-8").split("\n")[:-1]

    def texts_to_store(self, test_set: TestSet, output: Sequence[str]) -> list[Sequence[str]]:
        """Return the texts to store for an output on a test set."""
        return [*([test_set.sources, *test_set.references] if self._copies else []), output]

    def text_path(self, digest: TextDigest) -> Path:
        """Return the path of the text with this digest."""
        return self.folder / TEXTS / f"{digest}.txt"

    def texts(self) -> set[TextDigest]:
        """Return the digests of all stored texts."""
        return {path.stem for path in (self.folder / TEXTS).glob("*.txt")}

    def _read_rows(self) -> bytes:
        try:
            with open_regular(self._rows) as file, locked(file.fileno(), shared=True):
                return file.read()
        except FileNotFoundError:
            return b""

    def _head_problem(self, rows: bytes) -> str:
        """Return a sentence if the content of the file of rows does not match the head."""
        if rows and not rows.endswith(b"\n"):
            rows += b"\n"  # an editor may have removed the last line end
        try:
            head = parse_checked(read_regular(self._head))
            size, digest = int(head["bytes"]), str(head["sha256_of_rows"])
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, KeyError, TypeError) as problem:
            return f"'{self._head}' cannot be used ({problem}); restore it from a copy, or delete it."
        if len(rows) >= size and sha256_of_content(rows[:size]) == digest:
            return ""
        return (
            f"rows of board '{self.folder}' are missing or were changed ({len(rows):,} bytes, and {size:,} when the last row "
            f"was added). Restore {ROWS} and {HEAD} from a copy, or delete {HEAD} to accept the present rows."
        )

    def _store_text(self, lines: Sequence[str]) -> None:
        data = text_bytes(lines)
        digest = sha256_of_content(data)
        path = self.text_path(digest)
        if not path.is_file() or sha256_of(path) != digest:
            write_atomically(path, data)

    def _located(self, lines: Sequence[bytes]) -> list[tuple[str, str]]:
        return [
            (f"'{self._rows}', line {number},", line.decode("utf-8", errors="replace"))
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]

    def _unwritable(self, problem: OSError) -> ResourceError:
        return ResourceError(
            f"cannot write to board '{self.folder}' ({problem.strerror or problem}); nothing was added: "
            f"{write_remedy(problem)}.",
            path=self.folder,
        )


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the complete lines, and the partial one that an interrupted writer left at the end."""
    *complete, tail = data.split(b"\n")
    if tail:
        try:
            parse_json(tail)
        except ValueError:
            return complete, tail
        complete.append(tail)  # an editor removed the last line end
    return complete, b""


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
