"""Lines of files and pipes for the commands: bytes in, text out, one output line for each input line."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO, cast

from nmt_lstm.cli.messages import count_of, note
from nmt_lstm.errors import DataError
from nmt_lstm.files.atomic import error_for

__all__ = ["OutputFile", "check_output", "decoded_lines", "input_lines", "output_stream", "read_all_lines"]

WARNINGS_SHOWN = 10
# Endings of compressed files that are not written; plain text under such a name could not be read again.
_NOT_WRITTEN = (".zip", ".zst")
logger = logging.getLogger(__name__)


@contextlib.contextmanager
def _input_stream(path: Path | None) -> Iterator[IO[bytes]]:
    """Open a file (plain, .gz, .xz, .bz2, .zst), or stdin for None or '-'."""
    if path is None or str(path) == "-":
        yield sys.stdin.buffer
        return
    from nmt_lstm.text.corpus import open_bytes

    with open_bytes(path) as stream:
        yield stream


def decoded_lines(stream: IO[bytes], name: str) -> Iterator[str]:
    """Yield lines without their end; lines end at line feeds alone, bytes that are not UTF-8 are replaced.

    A warning names each of the first lines with such bytes; another at the end counts them all.
    """
    replaced = 0
    for number, raw in enumerate(stream, start=1):
        line = raw.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise DataError(
                    f"'{name}' is UTF-16, not UTF-8. Convert it, for instance with: iconv -f utf-16 -t utf-8."
                )
            line = line.removeprefix(b"\xef\xbb\xbf")  # a byte order mark is no text
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as problem:
            replaced += 1
            if replaced <= WARNINGS_SHOWN:
                logger.warning(
                    "%s, line %d: byte %d (0x%02x) is not UTF-8; replaced by U+FFFD.",
                    name, number, problem.start + 1, line[problem.start],
                )  # fmt: skip
            yield line.decode("utf-8", errors="replace")
    if replaced > WARNINGS_SHOWN:
        logger.warning("%s: %d lines in all had bytes that are not UTF-8.", name, replaced)


def input_lines(path: Path | None) -> Iterator[str]:
    """Yield the lines of a file or of stdin, one at a time.

    Raises:
        DataError: the file is missing, a folder, or cannot be read.
    """
    from nmt_lstm.text.corpus import DAMAGES

    name = "stdin" if path is None or str(path) == "-" else str(path)
    with _input_stream(path) as stream:
        try:
            yield from decoded_lines(stream, name)
        except DAMAGES as problem:
            raise DataError(f"'{name}' cannot be read to its end: {problem}.") from problem


def read_all_lines(path: Path) -> list[str]:
    """Return all lines of a file that is scored, which must be UTF-8 to its end.

    Raises:
        DataError: it is missing, unreadable, empty, compressed under a plain name, or not UTF-8.
    """
    from nmt_lstm.text.corpus import decoded

    with _input_stream(path) as stream:
        lines = list(decoded(stream, "stdin" if str(path) == "-" else str(path)))
    if not lines:
        raise DataError(f"'{path}' is empty; it must have one sentence per line.")
    return lines


class OutputFile:
    """A file that is opened when the first bytes come: what fails before that leaves what was there.

    It is compressed by the ending of its name: .gz, .xz or .bz2.

    Args:
        path: of the file.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._stream: IO[bytes] | None = None
        if not path.parent.is_dir():
            raise DataError(f"-o '{path}': the folder '{path.parent}' does not exist; make it first.")
        number = errno.EISDIR if path.is_dir() else 0
        if not number and not os.access(path if path.exists() else path.parent, os.W_OK):
            number = errno.EACCES
        if number:
            raise DataError(f"-o '{path}' cannot be written: {os.strerror(number)}.")
        if path.suffix.lower() in _NOT_WRITTEN:
            raise DataError(
                f"-o '{path}': {path.suffix} files are not written; use .gz, .xz or .bz2 for a compressed file, or "
                f"another ending for plain text."
            )

    def write(self, data: bytes) -> int:
        """Write bytes."""
        stream = self.opened()
        self.lines += data.count(b"\n")
        with self._named():
            return stream.write(data)

    def flush(self) -> None:
        """Let what was written be seen."""
        if self._stream is not None:
            with self._named():
                self._stream.flush()

    def opened(self) -> IO[bytes]:
        """Open the file, if that has not been done."""
        if self._stream is None:
            try:
                self._stream = self._open()
            except OSError as problem:
                raise DataError(f"-o '{self.path}' cannot be written: {problem.strerror}.") from problem
        return self._stream

    def _open(self) -> IO[bytes]:
        match self.path.suffix.lower():
            case ".gz":
                import gzip

                return cast("IO[bytes]", gzip.open(self.path, "wb"))
            case ".xz":
                import lzma

                return cast("IO[bytes]", lzma.open(self.path, "wb"))
            case ".bz2":
                import bz2

                return cast("IO[bytes]", bz2.open(self.path, "wb"))
            case _:
                return self.path.open("wb")

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            with self._named():
                self._stream.close()

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Let an error name the file, such as that of a full disk: that of a write does not."""
        try:
            yield
        except OSError as problem:
            raise error_for(self.path, problem) from problem


def check_output(path: Path | None, inputs: Sequence[Path | None] = ()) -> None:
    """Refuse an output that could not be written, before anything is computed for it.

    Raises:
        DataError: the file cannot be written, or is one of `inputs`.
    """
    if path is None or str(path) == "-":
        return
    for other in inputs:
        if other is not None and path.exists() and other.exists() and path.samefile(other):
            raise DataError(f"-o '{path}' is also an input; writing it would destroy it. Name another file.")
    OutputFile(path)


@contextlib.contextmanager
def output_stream(path: Path | None, inputs: Sequence[Path | None] = ()) -> Iterator[OutputFile | BinaryIO]:
    """Give a file to write to, or stdout for None or '-'; what was written stays, whatever happens later.

    At the end the person at the terminal is told what was written to the file.

    Raises:
        DataError: the file cannot be written, or is one of `inputs`.
    """
    if path is None or str(path) == "-":
        sys.stdout.buffer.write(b"")  # a closed stdout is told before the work
        try:
            yield sys.stdout.buffer
        finally:
            sys.stdout.buffer.flush()
        return
    check_output(path, inputs)
    file = OutputFile(path)
    try:
        yield file
        file.opened()  # also where there was nothing to write
    finally:
        file.close()
    note(f"Wrote {count_of(file.lines, 'line')} to '{path}'.")
