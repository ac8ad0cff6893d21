"""The folder of a probe and its results: one line for each finished run, append-only."""

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
from nmt_lstm.files.regular import MAX_LIST_BYTES, read_regular
from nmt_lstm.files.write_errors import write_remedy
from nmt_lstm.lab.experiment.folder import check_folder
from nmt_lstm.lab.probes.result import FORMAT, FORMAT_VERSION, ProbeResult

__all__ = ["RESULTS", "ResultsFile"]

RESULTS = "results.jsonl"


class ResultsFile:
    """``results.jsonl`` in a folder that one process uses at a time.

    A line is on disk before `append` returns. A partial line that a killed process left is removed by the next append.

    Args:
        folder: a new or empty folder, or one with such a file.

    Raises:
        ConfigurationError: the folder belongs to another program.
        ResourceError: it cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / RESULTS
        check_folder(folder, RESULTS, "does not contain probes")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise ResourceError(
                f"cannot create the folder '{folder}' ({problem.strerror}); choose a different one with -o.",
                path=folder,
            ) from problem

    def alone(self) -> AbstractContextManager[None]:
        """Keep other probes out of the folder within a with statement.

        Raises:
            ResourceError: another probe is using it.
        """
        return exclusive_folder("nmt-lstm probe", self.folder)

    def read(self) -> list[ProbeResult]:
        """Return all results in the order in which they were added.

        Raises:
            DataError: a line is damaged, is not a result, or was written by a newer version.
        """
        try:
            data = read_regular(self.path, MAX_LIST_BYTES)
        except FileNotFoundError:
            return []
        complete = data[: data.rfind(b"\n") + 1]
        return [
            _parse(line, f"'{self.path}', line {number},")
            for number, line in enumerate(complete.split(b"\n"), 1)
            if line.strip()
        ]

    def append(self, result: ProbeResult) -> None:
        """Add a result at the end.

        Raises:
            ResourceError: the disk is full or read-only; earlier results are kept.
        """
        line = f"{json.dumps(with_checksum(result.model_dump(mode='json')))}\n".encode()
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
                f"cannot write '{self.path}' ({problem.strerror}); earlier results are kept: "
                f"{write_remedy(problem)}.",
                path=self.path,
            ) from problem


def _parse(line: bytes, location: str) -> ProbeResult:
    try:
        values = parse_json(line)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise DataError(f"{location} is not the result of a probe; choose a different folder with -o.")
        version = values.get("format_version")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise DataError(
                f"{location} was written by a newer nmt-lstm (format {version}, this one reads up to {FORMAT_VERSION}); "
                f"upgrade nmt-lstm, or choose a different folder with -o."
            )
        return ProbeResult.model_validate(without_checksum(values))
    except ValueError as problem:
        reason: object = problem
        if isinstance(problem, ValidationError):
            first = problem.errors()[0]
            reason = f"{'.'.join(map(str, first['loc'])) or 'the line'}: {first['msg']}"
        raise DataError(
            f"{location} is damaged ({reason}); remove the line, and the same command repeats that run."
        ) from None
