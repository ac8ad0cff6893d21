"""``translate --resume``, ``--shard`` and ``--merge``: a long translation in parts that survive an interruption."""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import typer

from nmt_lstm.cli.lines import OutputFile
from nmt_lstm.cli.messages import note
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.files.atomic import replacing
from nmt_lstm.files.checksums import sha256_of
from nmt_lstm.files.lock import HeldError, lock_file
from nmt_lstm.files.output_parts import Job, OutputParts, folder_of, unfinished_parts
from nmt_lstm.plain_text import count_of

__all__ = ["PART_LINES", "BulkOptions", "BulkOutput"]

PART_LINES = 4_096
"""Input lines of a part, as many as are sorted by length at once with the default batch size."""
MAX_SHARDS = 100_000
# These options change where, when and how fast lines are translated, but not the output.
_WITHOUT_EFFECT = {
    "input_file", "output_file", "batch_size", "interactive", "jobs", "engine", "device", "plugin", "trust_plugins", "resume",
    "shard", "merge", "part_lines",
}  # fmt: skip
_FILES_BESIDE = ("prefixes", "constraints", "terms", "avoid")
logger = logging.getLogger(__name__)
_SECONDS_BETWEEN_NOTES = 20.0
_SHARD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")

Item = TypeVar("Item")


@dataclass(frozen=True)
class BulkOptions:
    """The values of the options."""

    resume: bool = False
    """Write parts, and keep those of earlier runs."""
    shard: str = ""
    """Such as "2/8": translate the second of eight shares of the parts."""
    merge: bool = False
    """Put the parts together; nothing is translated."""
    part_lines: int | None = None
    """Input lines of a part; by default `PART_LINES`."""
    interactive: bool = False
    """Whether each line is to be answered at once, which parts do not allow."""

    def is_used(self) -> bool:
        """Whether the output is written in parts."""
        return self.resume or bool(self.shard) or self.merge

    def share(self) -> tuple[int, int]:
        """Return the number of this share, from 1, and the number of shares.

        Raises:
            ConfigurationError: the text is not such a pair.
        """
        match = _SHARD.fullmatch(self.shard or "1/1")
        number, shares = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= shares <= MAX_SHARDS:
            raise ConfigurationError(
                f"--shard '{self.shard}' must be a number, a slash and the number of shards, such as 1/8 for the first of 8.",
                key="--shard",
                value=self.shard,
            )
        return number, shares

    def output(
        self, input_file: Path | None, output_file: Path | None, context: typer.Context
    ) -> BulkOutput | None:
        """Return the translation in parts; None if none of the options is used.

        Args:
            input_file: the input.
            output_file: the output.
            context: of the command; its options are what the output depends on.

        Raises:
            ConfigurationError: the options contradict each other, input or output is not a file, or the parts belong
                to a different translation.
            DataError: a file cannot be read.
        """
        number, shares = self.share()
        if not (self.resume or self.shard or self.merge):
            if self.part_lines is not None:
                raise ConfigurationError(
                    "--part-lines is for --resume and --shard; add one of them, or remove it.",
                    key="--part-lines",
                )
            if output_file is not None and (count := unfinished_parts(output_file)):
                logger.warning(
                    "'%s' has %s of an unfinished translation; to continue it, add --resume (or its --shard).",
                    folder_of(output_file), count_of(count, "part"),
                )  # fmt: skip
            return None
        if self.merge and self.shard:
            raise ConfigurationError("--merge joins all shards; leave out --shard.", key="--merge")
        option = "--merge" if self.merge else "--shard" if self.shard else "--resume"
        if self.interactive:
            raise ConfigurationError(
                f"{option} writes a file in parts; remove --interactive.", key="--interactive"
            )
        beside = ((f"--{name}", context.params.get(name)) for name in _FILES_BESIDE)
        named = [("-i", input_file), ("-o", output_file), *(each for each in beside if each[1] is not None)]
        files = [_regular_file(option, name, path) for name, path in named]
        return BulkOutput(
            output=files[1],
            job=_job(files[0], self.part_lines or PART_LINES, context),
            share=(number, shares),
            whole=not self.shard,
        )


class BulkOutput:
    """A translation in parts.

    Args:
        output: the file that the parts become.
        job: what it is computed from.
        share: the number of this share, from 1, and the number of shares.
        whole: merge the output at the end.

    Raises:
        ConfigurationError: the parts belong to a different translation.
        DataError: the output cannot be written.
    """

    def __init__(self, *, output: Path, job: Job, share: tuple[int, int], whole: bool) -> None:
        OutputFile(output)  # raises if it cannot be written
        self.output = output
        self.number, self.shares = share
        self.parts = OutputParts(output, job)
        self._merge_at_end = whole

    def state(self) -> str:
        """Return how much of the output is complete, such as "2 of 8 parts are complete"."""
        done = self.parts.job.parts - len(self.parts.missing())
        return f"{done:,} of {count_of(self.parts.job.parts, 'part')} are complete"

    def is_finished(self) -> bool:
        """Whether an earlier run finished the output; a note says so.

        Raises:
            DataError: it was changed afterwards.
        """
        if not self.parts.finished:
            return False
        if not self.parts.output_is_intact():
            raise DataError(
                f"'{self.output}' was finished earlier, but is missing or was changed since. To translate again, remove the "
                f"folder '{self.parts.folder}'.",
                path=self.output,
            )
        note(f"'{self.output}' is already finished; there is nothing left to do.")
        return True

    def run(
        self,
        lines: Iterable[Item],
        translated: Callable[[Iterator[tuple[int, Item]]], Iterator[bytes]],
    ) -> None:
        """Translate the parts of this share that are missing; if it is the only share, merge the output.

        Args:
            lines: all lines of the input.
            translated: yields the output of each numbered line, in order.

        Raises:
            DataError: the input has changed, or another process translates the same share.
        """
        self.parts.begin()
        job = self.parts.job
        share = job.share(self.number, self.shares)
        lock = self.parts.folder / f".shard-{self.number}-of-{self.shares}.lock"
        try:
            with lock_file(lock):
                missing = [part for part in share if not self.parts.is_complete(part)]
                if len(missing) < len(share):
                    complete = len(share) - len(missing)
                    verb = "is" if complete == 1 else "are"
                    note(f"{complete:,} of {count_of(len(share), 'part')} {verb} complete already.")
                self._translate(missing, lines, translated)
                if self._merge_at_end:
                    self.merge()
                    return
        except HeldError as problem:
            raise DataError(
                f"another process ({problem.process or 'unknown'}) translates shard {self.number}/{self.shares} of "
                f"'{self.output}'; wait for it, or stop it.",
                path=self.output,
            ) from problem
        remaining = len(self.parts.missing())
        note(
            f"Shard {self.number}/{self.shares} is complete. "
            + (
                f"{remaining:,} of {count_of(job.parts, 'part')} are left for other shards."
                if remaining
                else "So are all others: the same command with --merge instead of --shard writes the output."
            )
        )

    def merge(self) -> bool:
        """Write the output from all parts, and remove them; True.

        Raises:
            DataError: a part is missing or damaged.
        """
        from nmt_lstm.text.text_file import create_bytes

        with (
            replacing(self.output) as temporary,
            create_bytes(temporary, suffix=self.output.suffix) as stream,
        ):
            self.parts.merge(self.output, stream)
        self.parts.finish()
        note(f"Wrote the translation of {count_of(self.parts.job.lines, 'line')} to '{self.output}'.")
        return True

    def _translate(
        self,
        missing: list[int],
        lines: Iterable[Item],
        translated: Callable[[Iterator[tuple[int, Item]]], Iterator[bytes]],
    ) -> None:
        job = self.parts.job
        if not missing:
            return
        wanted = set(missing)
        numbered = (
            (number, line) for number, line in enumerate(lines, 1) if (number - 1) // job.part_lines in wanted
        )
        texts = translated(numbered)
        with _progress(sum(len(job.line_range(part)) for part in missing)) as advance:
            for part in missing:
                content = []
                for text in itertools.islice(texts, len(job.line_range(part))):
                    content.append(text)
                    advance()
                if len(content) != len(job.line_range(part)):
                    raise DataError("the input was changed while it was translated; start again.")
                self.parts.write(part, b"".join(content))


def _regular_file(option: str, name: str, path: Path | None) -> Path:
    if path is None or str(path) == "-" or (path.exists() and not path.is_file()):
        raise ConfigurationError(
            f"{option} needs {name} with the name of a regular file, not a pipe.", key=option, value=path
        )
    return path


def _job(input_file: Path, part_lines: int, context: typer.Context) -> Job:
    from nmt_lstm.text.text_file import count_lines

    return Job(count_lines(input_file), part_lines, _facts(input_file, context))


def _facts(input_file: Path, context: typer.Context) -> dict[str, str]:
    """Return what the output depends on: digests of input, models and other files, and the values of options."""
    from nmt_lstm import __version__
    from nmt_lstm.text.columns import split_column

    file, column = split_column(input_file)
    facts = {"the SHA-256 of the input": sha256_of(file)[:16], "nmt-lstm": __version__}
    if column is not None:
        facts["the column of the input"] = str(column)
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        if name not in _WITHOUT_EFFECT and value not in (None, False, "", [], ()):
            option = max(parameter.opts, key=len)
            facts[option] = _described(value)
    return facts


def _described(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(_described, value))
    if isinstance(value, Enum):
        return str(value.value)
    return _digest(value) if isinstance(value, Path) else str(value)


def _digest(path: Path) -> str:
    """Return the digest of a file, or of the manifest of a model folder, which has the digests of its files."""
    from nmt_lstm.checkpoint.manifest import MANIFEST
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.text.columns import file_of

    file = file_of(path)
    file = file if file.is_file() else model_path(path) / MANIFEST
    return f"{path} ({sha256_of(file)[:16]})"


@contextlib.contextmanager
def _progress(lines: int) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each line: a live bar at a terminal, elsewhere a line now and then."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if console.is_terminal:
        columns = (
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("lines"),
            TaskProgressColumn(show_speed=True),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as live:
            task = live.add_task("", total=lines)
            yield lambda: live.advance(task)
        return
    from nmt_lstm.training.progress import duration

    start = last = time.monotonic()
    done = 0

    def advance() -> None:
        nonlocal done, last
        done += 1
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_NOTES:
            last = now
            rate = done / (now - start)
            note(f"{done:,} of {lines:,} lines, {rate:,.1f} lines/s, {duration((lines - done) / rate)} left")

    yield advance
