"""A long output written in parts that survive the process: a job, its folder of parts, and the output they become.

The parts of ``out.txt`` are in the folder ``out.txt.parts``. Each has the output for a fixed range of input lines and a
checksum, and appears under its name only when it is complete. Several processes, on several machines with a common file
system, may write different parts at the same time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.files.checksums import checked_json, checksum_of, parse_checked, sha256_of
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import MAX_LIST_BYTES, read_regular
from nmt_lstm.plain_text import count_of

__all__ = ["Job", "OutputParts", "folder_of", "unfinished_parts"]

FORMAT = "nmt-lstm output parts"
JOB_FILE = "job.json"
_SUFFIX = ".part"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What an output is computed from. Two jobs that are equal have the same output."""

    lines: int
    """Lines of the input."""
    part_lines: int
    """Input lines of each part, fewer in the last one."""
    facts: Mapping[str, str]
    """Everything else that the output depends on: options, and digests of files."""

    @property
    def parts(self) -> int:
        """How many parts the output has."""
        return -(-self.lines // self.part_lines)

    @property
    def digest(self) -> str:
        """A SHA-256 of the job, which each of its parts contains."""
        return checksum_of(self._values())

    def line_range(self, part: int) -> range:
        """Return the numbers, from 0, of the input lines of a part."""
        return range(part * self.part_lines, min(self.lines, (part + 1) * self.part_lines))

    def share(self, number: int, shares: int) -> list[int]:
        """Return the parts of share `number` (from 1) of `shares`, as equal as whole parts allow."""
        return list(range(number - 1, self.parts, shares))

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Return "name was x, is y" for each value that differs in the values of an earlier job."""
        earlier = _facts(other)
        own = _facts(self._values())
        return [
            f"{name} was {earlier.get(name) or 'not given'}, is {own.get(name) or 'not given'}"
            for name in dict.fromkeys((*own, *earlier))
            if own.get(name) != earlier.get(name)
        ]

    def text(self, finished: str = "") -> str:
        """Return the content of the job's file; `finished` is the SHA-256 of the finished output."""
        return checked_json({"format": FORMAT, **self._values(), "finished": finished})

    def _values(self) -> dict[str, Any]:
        return {"lines": self.lines, "part_lines": self.part_lines, "facts": dict(self.facts)}


def folder_of(output: Path) -> Path:
    """Return the folder of an output's parts."""
    return output.with_name(f"{output.name}.parts")


def unfinished_parts(output: Path) -> int:
    """Return how many parts an output has that are not merged yet."""
    return len([*folder_of(output).glob(f"*{_SUFFIX}")])


class OutputParts:
    """The folder with the parts of an output.

    Args:
        output: the file that the parts become.
        job: what it is computed from.

    Raises:
        ConfigurationError: the folder has the parts of a different job; `value` is the list of differences.
        DataError: the folder cannot be used, or contains other files, or its job is damaged and no part tells which it was.
    """

    def __init__(self, output: Path, job: Job) -> None:
        self.output = output
        self.job = job
        self.folder = folder_of(output)
        self.finished = ""
        """The SHA-256 of the finished output; empty as long as parts are missing or not merged."""
        if self._is_begun() and (damage := self._check_job()):
            logger.warning(
                "'%s' %s; the parts beside it belong to this translation, so it is written again.",
                self.folder / JOB_FILE, damage,
            )  # fmt: skip

    def begin(self) -> None:
        """Make the folder, unless it is there.

        Raises:
            ConfigurationError: meanwhile a process with a different job has made it.
            OSError: it cannot be written.
        """
        if not self._is_begun() or self._check_job():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / JOB_FILE, self.job.text())

    def is_complete(self, part: int) -> bool:
        """Whether a part is there and undamaged."""
        try:
            self.read(part)
        except (OSError, ValueError):
            return False
        return True

    def missing(self) -> list[int]:
        """Return the numbers of the parts that are missing or damaged."""
        return [part for part in range(self.job.parts) if not self.is_complete(part)]

    def write(self, part: int, content: bytes) -> None:
        """Store the output for the input lines of a part, after `begin`."""
        head = {"job": self.job.digest, "part": part, "sha256": hashlib.sha256(content).hexdigest()}
        write_atomically(self._path(part), json.dumps(head).encode() + b"\n" + content)

    def read(self, part: int) -> bytes:
        """Return what `write` stored.

        Raises:
            OSError: the part is missing or cannot be read.
            ValueError: it is damaged, or belongs to a different job.
        """
        path = self._path(part)
        job, content = _read_part(path)
        if job != self.job.digest:
            raise ValueError(f"'{path}' belongs to a different job")
        return content

    def merge(self, target: Path, stream: IO[bytes]) -> None:
        """Write all parts in order.

        Args:
            target: named in errors.
            stream: receives the output.

        Raises:
            DataError: a part is missing or damaged.
        """
        for part in range(self.job.parts):
            try:
                content = self.read(part)
            except (OSError, ValueError) as problem:
                lines = self.job.line_range(part)
                raise DataError(
                    f"'{target}' cannot be merged: the part for lines {lines.start + 1:,} to {lines.stop:,} is missing "
                    f"or damaged; translate it with --resume, or with its --shard.",
                    path=self._path(part),
                    line=lines.start + 1,
                ) from problem
            stream.write(content)

    def finish(self) -> None:
        """Record that the output is complete, and remove the parts; the record lets a later `--resume` do nothing."""
        self.begin()  # an output without lines has no parts
        self.finished = sha256_of(self.output)
        write_atomically(self.folder / JOB_FILE, self.job.text(self.finished))
        for path in self.folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                path.unlink()

    def output_is_intact(self) -> bool:
        """Whether the finished output is there and unchanged."""
        try:
            return bool(self.finished) and sha256_of(self.output) == self.finished
        except OSError:
            return False

    def _is_begun(self) -> bool:
        """Whether the folder exists; one without any file was left by a process that ended before it wrote the job."""
        return self.folder.exists() and not (
            self.folder.is_dir() and all(path.name.startswith(".") for path in self.folder.iterdir())
        )

    def _path(self, part: int) -> Path:
        return self.folder / _part_name(part)

    def _check_job(self) -> str:
        """Compare the recorded job with this one; return what is wrong with the record if it can be written again.

        Each part contains the digest of its job, so intact parts can prove that the job is this one.
        """
        path = self.folder / JOB_FILE
        cause: Exception
        try:
            values = _job_values(read_regular(path))
        except FileNotFoundError as problem:
            damage, cause = "is missing", problem
        except ValueError as problem:
            damage, cause = f"is damaged ({problem})", problem
        except OSError as problem:
            raise DataError(
                f"'{path}' cannot be read: {problem.strerror or problem}.", path=path
            ) from problem
        else:
            if differences := self.job.differences(values):
                raise ConfigurationError(
                    f"'{self.folder}' has the parts of a different translation: {'; '.join(differences)}. Use the same "
                    f"input, models and options, choose a different -o, or remove the folder to start again.",
                    path=self.folder,
                    value=differences,
                )
            self.finished = str(values.get("finished", ""))
            return ""
        if not any(self.folder.glob(f"*{_SUFFIX}")):
            start_again = f"remove '{self.folder}' to start again, or " if path.exists() else ""
            raise DataError(
                f"'{path}' {damage}, and there are no parts beside it; {start_again}choose a different -o.",
                path=path,
            ) from cause
        jobs = self._jobs_of_parts()
        if set(jobs) == {self.job.digest}:
            return damage
        lost = count_of(sum(jobs.values()), "intact part")
        raise DataError(
            f"'{path}' {damage}, and the parts beside it do not belong to this translation. Use the same input, models and "
            f"options as before, or choose a different -o; if you remove '{self.folder}', {lost} will be lost.",
            path=path,
            value=dict(jobs),
        ) from cause

    def _jobs_of_parts(self) -> Counter[str]:
        """Return how many intact parts belong to each job, by its digest."""
        jobs = Counter[str]()
        for path in self.folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError, ValueError):
                jobs[_read_part(path)[0]] += 1
        return jobs


def _read_part(path: Path) -> tuple[str, bytes]:
    """Return the digest of the job that a part belongs to, and its content.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or in the place of a different part.
    """
    head, end, content = read_regular(path, MAX_LIST_BYTES).partition(b"\n")
    values = parse_json(head)
    job = str(values.get("job", "")) if isinstance(values, dict) else ""
    expected = {
        "job": job,
        "part": values.get("part") if job else None,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    if not end or not job or values != expected or path.name != _part_name(values["part"]):
        raise ValueError(f"'{path}' was changed: its checksum does not match")
    return job, content


def _part_name(part: object) -> str:
    return f"{part:08d}{_SUFFIX}" if isinstance(part, int) else ""


def _job_values(text: bytes) -> dict[str, Any]:
    values = parse_checked(text)
    if values.get("format") != FORMAT:
        raise ValueError("it is a different kind of file")
    return values


def _facts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return all values of a job by the names that messages use."""
    facts = values.get("facts")
    names = {"lines": "the number of input lines", "part_lines": "--part-lines"}
    sizes = {label: str(values.get(name)) for name, label in names.items()}
    return {**sizes, **(facts if isinstance(facts, dict) else {})}
