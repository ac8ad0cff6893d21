"""The folder of a probe and its results: one line for each finished run, only ever appended."""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager
from pathlib import Path

from pydantic import ValidationError

from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.checksums import with_checksum, without_checksum
from nmt_lstm.files.folders import exclusive_folder
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import LARGEST_LIST, read_regular
from nmt_lstm.lab.experiment.folder import check_folder
from nmt_lstm.lab.probes.record import FORMAT, FORMAT_VERSION, RunRecord

__all__ = ["RESULTS", "ResultsFile"]

RESULTS = "results.jsonl"


class ResultsFile:
    """``results.jsonl`` of a folder, held by one process at a time.

    A line reaches the disk before `append` returns. What a killed writer left half written is dropped by the next
    one.

    Args:
        folder: new, empty, or one that has such a file.

    Raises:
        ConfigurationError: the folder belongs to another program.
        ResourceError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / RESULTS
        check_folder(folder, RESULTS, "does not hold probes")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise ResourceError(
                f"cannot make the folder '{folder}' ({problem.strerror}); choose another with -o."
            ) from problem

    def alone(self) -> AbstractContextManager[None]:
        """Keep other probes out of the folder while a with statement lasts.

        Raises:
            ResourceError: one is at work in it.
        """
        return exclusive_folder("nmt-lstm probe", self.folder)

    def read(self) -> list[RunRecord]:
        """Return all records in the order in which they came.

        Raises:
            DataError: a line is damaged, is no probe's, or was written by a newer version.
        """
        try:
            data = read_regular(self.path, LARGEST_LIST)
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        return [
            self._record(line, number) for number, line in enumerate(whole.split(b"\n"), 1) if line.strip()
        ]

    def append(self, record: RunRecord) -> None:
        """Add a record at the end.

        Raises:
            ResourceError: the disk is full or cannot be written; what was there before stays.
        """
        line = f"{json.dumps(with_checksum(record.model_dump(mode='json')))}\n".encode()
        try:
            with self.path.open("ab+") as file:
                file.seek(0)
                end = file.read().rfind(b"\n") + 1
                file.truncate(end)
                try:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.ftruncate(file.fileno(), end)
                    raise
        except OSError as problem:
            raise ResourceError(
                f"'{self.path}' cannot be written ({problem.strerror}); the results before this one are kept."
            ) from problem

    def _record(self, line: bytes, number: int) -> RunRecord:
        place = f"'{self.path}', line {number},"
        remedy = "remove the line, and the same command does that run again"
        try:
            values = parse_json(line)
        except ValueError as problem:
            raise DataError(f"{place} is damaged ({problem}); {remedy}.") from None
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise DataError(f"{place} is no result of a probe; choose another folder with -o.")
        version = values.get("format_version")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise DataError(
                f"{place} was written by a newer nmt-lstm (format {version}, this one reads up to {FORMAT_VERSION}); "
                f"upgrade nmt-lstm, or choose another folder with -o."
            )
        try:
            return RunRecord.model_validate(without_checksum(values))
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the line"
            raise DataError(f"{place} is damaged ({where}: {first['msg']}); {remedy}.") from None
        except ValueError as problem:
            raise DataError(f"{place} is damaged ({problem}); {remedy}.") from None
