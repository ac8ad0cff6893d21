"""Lines of files and pipes for the commands: bytes in, text out, one output line for each input line."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO, TypeVar

from nmt_lstm.cli.messages import note
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import error_for
from nmt_lstm.plain_text import count_of

__all__ = [
    "OutputFile",
    "check_beginning",
    "check_output",
    "consecutive_chunks",
    "decoded_lines",
    "input_lines",
    "input_stream",
    "name_of",
    "output_stream",
    "read_all_lines",
    "read_matching_lines",
]

WARNINGS_SHOWN = 10
# Plain text in a file with such a name could not be read again.
_UNSUPPORTED = (".zip",)
_COMPRESSED = (".gz", ".xz", ".bz2", ".zst")
logger = logging.getLogger(__name__)
Item = TypeVar("Item")


@contextlib.contextmanager
def input_stream(path: Path | None) -> Iterator[IO[bytes]]:
    """Open a file (plain, .gz, .xz, .bz2, .zst), or stdin for None or '-'."""
    if path is None or str(path) == "-":
        yield sys.stdin.buffer
        return
    from nmt_lstm.text.text_file import open_bytes

    with open_bytes(path) as stream:
        yield stream


def check_beginning(path: Path) -> None:
    """Raise DataError if the first bytes of a file show that it is damaged, or not text in UTF-8."""
    from nmt_lstm.text.encoding_check import MAX_BYTES, check_readable
    from nmt_lstm.text.line_decoding import DAMAGES
    from nmt_lstm.text.text_file import open_bytes

    with open_bytes(path) as stream:
        try:
            line = stream.readline(MAX_BYTES)
        except DAMAGES as problem:
            raise DataError(f"'{path}' cannot be read: {problem}.", path=path) from problem
    check_readable(line.removesuffix(b"\n"), str(path), path)


def decoded_lines(stream: IO[bytes], name: str) -> Iterator[str]:
    """Yield lines without their line end; only a line feed ends a line.

    Bytes that are not UTF-8 are replaced. A warning names each of the first lines with such bytes; a last one gives
    their number.

    Args:
        stream: the text.
        name: of the stream in messages.

    Raises:
        DataError: the text is compressed, in UTF-16, or binary.
    """
    from nmt_lstm.text.encoding_check import check_readable

    invalid_lines = 0
    for number, raw in enumerate(stream, start=1):
        line = raw.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            check_readable(line, name)
            line = line.removeprefix(b"\xef\xbb\xbf")  # a byte order mark is not text
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as problem:
            invalid_lines += 1
            if invalid_lines <= WARNINGS_SHOWN:
                logger.warning(
                    "%s, line %d: byte %d (0x%02x) is not UTF-8; replaced by U+FFFD.",
                    name, number, problem.start + 1, line[problem.start],
                )  # fmt: skip
            yield line.decode("utf-8", errors="replace")
    if invalid_lines > WARNINGS_SHOWN:
        logger.warning("%s: %d lines in total had bytes that are not UTF-8.", name, invalid_lines)


def name_of(path: Path | None) -> str:
    """Return the name of an input in messages."""
    return "stdin" if path is None or str(path) == "-" else str(path)


def input_lines(path: Path | None) -> Iterator[str]:
    """Yield the lines of a file or of stdin, one at a time.

    Of a column, such as "pairs.tsv:1", a line with an unusual number of columns is blank, with a warning.

    Raises:
        DataError: the file is missing, is a folder, cannot be read, or does not have the column.
    """
    from nmt_lstm.text.columns import ColumnReader, split_column
    from nmt_lstm.text.line_decoding import DAMAGES

    file, column = (None, None) if path is None else split_column(Path(path))
    name = name_of(file)
    with input_stream(file) as stream:
        try:
            if file is None or column is None:
                yield from decoded_lines(stream, name)
                return
            reader = ColumnReader(decoded_lines(stream, name), file, column)
            yield from (text or "" for text in reader.texts())
            if warning := reader.warning("Such lines count as blank."):
                logger.warning("%s", warning)
        except DAMAGES as problem:
            raise DataError(f"'{name}' cannot be read to its end: {problem}.") from problem


def consecutive_chunks(
    numbered: Iterable[tuple[int, Item]], size: int, *, part_lines: int = 0
) -> Iterator[tuple[int, list[Item]]]:
    """Yield lists of lines whose numbers follow each other, each with the number of its first line.

    Args:
        numbered: the lines with their numbers, from 1.
        size: most lines of a list.
        part_lines: lines of a part of the output: a list ends where a part does, so that the part can be written; 0 if the
            output has no parts.
    """
    first, chunk = 0, list[Item]()
    for number, item in numbered:
        if chunk and number != first + len(chunk):
            yield first, chunk
            chunk = []
        if not chunk:
            first = number
        chunk.append(item)
        is_end_of_part = bool(part_lines) and number % part_lines == 0
        if len(chunk) == size or is_end_of_part:  # before the next line is awaited: a user may be typing it
            yield first, chunk
            chunk = []
    if chunk:
        yield first, chunk


def read_all_lines(path: Path, *, may_be_empty: bool = False) -> list[str]:
    """Return all lines of a text, or of a column such as "pairs.tsv:2"; unlike text that is translated, it must be valid.

    Raises:
        DataError: it is missing, unreadable, empty, compressed under a plain name, or not UTF-8, or a line has an unusual
            number of columns.
    """
    from nmt_lstm.text.columns import ColumnReader, split_column
    from nmt_lstm.text.line_decoding import decode_lines

    file, column = split_column(path)
    with input_stream(file) as stream:
        lines = list(decode_lines(stream, name_of(file), path=file))
    if lines and column is not None:
        reader = ColumnReader(iter(lines), file, column)
        lines = [text for text in reader.texts() if text is not None]
        if warning := reader.warning("No scored line may be left out; correct such lines."):
            raise DataError(warning, path=file)
    if not lines and not may_be_empty:
        raise DataError(f"'{name_of(path)}' is empty; it must have one sentence per line.", path=path)
    return lines


def read_matching_lines(path: Path, other: Path, other_lines: Sequence[str]) -> list[str]:
    """Return all lines of a text that must have one line for each line of another, which may be empty.

    Raises:
        DataError: the numbers differ (the message has both, and the first missing line); or as `read_all_lines`.
    """
    lines = read_all_lines(path, may_be_empty=not other_lines)
    if len(lines) != len(other_lines):
        shorter = path if len(lines) < len(other_lines) else other
        name, other_name, shorter_name = map(name_of, (path, other, shorter))
        first_missing = min(len(lines), len(other_lines)) + 1
        raise DataError(
            f"'{name}' has {count_of(len(lines), 'line')} and '{other_name}' has {len(other_lines):,}; they must have the same number. "
            f"Line {first_missing:,} is missing from '{shorter_name}'.",
            path=shorter,
            line=first_missing,
        )
    return lines


class OutputFile:
    """A file that is opened at the first write, so that an earlier failure leaves its old content intact.

    It is compressed if its name ends in .gz, .xz, .bz2 or .zst.

    Args:
        path: of the file.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        """How many lines have been written."""
        self._stream: IO[bytes] | None = None
        if not path.parent.is_dir():
            raise DataError(
                f"-o '{path}': the folder '{path.parent}' does not exist; make it first.", path=path
            )
        number = errno.EISDIR if path.is_dir() else 0
        if not number and not os.access(path if path.exists() else path.parent, os.W_OK):
            number = errno.EACCES
        if number:
            raise DataError(f"-o '{path}' cannot be written: {os.strerror(number)}.", path=path)
        if path.suffix.lower() in _UNSUPPORTED:
            raise DataError(
                f"-o '{path}': {path.suffix} files cannot be written; use .gz, .xz, .bz2 or .zst, or a name for plain text.",
                path=path,
            )
        if path.suffix.lower() == ".zst":
            from nmt_lstm.text.zstandard_file import require_library

            require_library(path, "writing")

    def write(self, data: bytes) -> int:
        """Write bytes."""
        stream = self.open()
        self.lines += data.count(b"\n")
        with self._naming_the_file():
            return stream.write(data)

    def flush(self) -> None:
        """Make everything written so far visible to readers of the file."""
        if self._stream is not None:
            with self._naming_the_file():
                self._stream.flush()

    def open(self) -> IO[bytes]:
        """Open the file unless it is open."""
        if self._stream is None:
            from nmt_lstm.text.text_file import create_bytes

            try:
                self._stream = create_bytes(self.path)
            except OSError as problem:
                raise DataError(
                    f"-o '{self.path}' cannot be written: {problem.strerror}.", path=self.path
                ) from problem
        return self._stream

    def close(self) -> None:
        """Close the file.

        Raises:
            ResourceError: it cannot be written to its end; it then ends with a whole line.
        """
        if self._stream is None:
            return
        try:
            self._stream.close()
        except OSError as problem:
            from nmt_lstm.files.write_errors import write_remedy

            remedy = write_remedy(problem)
            raise ResourceError(
                f"'{self.path}' cannot be written to its end ({problem.strerror or problem}); {self._whole_lines()}. {remedy[0].upper()}"
                f"{remedy[1:]}, then repeat the command.",
                path=self.path,
            ) from problem

    def _whole_lines(self) -> str:
        """Remove the half line at the end of a file, and return what remains; nobody could see that it is no whole line."""
        if self.path.suffix.lower() in _COMPRESSED or not self.path.is_file():
            return "it is not complete"
        with self.path.open("r+b") as file:
            count = end = 0
            while block := file.read(1 << 20):
                count += block.count(b"\n")
                if b"\n" in block:
                    end = file.tell() - len(block) + block.rfind(b"\n") + 1
            file.truncate(end)
        return f"it has the first {count_of(count, 'line')}"

    @contextlib.contextmanager
    def _naming_the_file(self) -> Iterator[None]:
        """Add the file's name to an error of a write, such as that of a full disk."""
        try:
            yield
        except OSError as problem:
            raise error_for(self.path, problem) from problem


def check_output(path: Path | None, inputs: Sequence[Path | None] = ()) -> None:
    """Check that an output can be written, before anything is computed for it.

    Raises:
        DataError: the file cannot be written, or is one of `inputs`.
    """
    from nmt_lstm.text.columns import file_of

    if path is None or str(path) == "-":
        return
    for other in (file_of(each) for each in inputs if each is not None):
        if path.exists() and other.exists() and path.samefile(other):
            raise DataError(
                f"-o '{path}' is also an input and would be overwritten; choose a different file.", path=path
            )
    OutputFile(path)


@contextlib.contextmanager
def output_stream(path: Path | None, inputs: Sequence[Path | None] = ()) -> Iterator[OutputFile | BinaryIO]:
    """Yield a file to write to, or stdout for None or '-'. An exception leaves what was written before it.

    At the end a note on stderr confirms what was written to the file.

    Raises:
        DataError: the file cannot be written, or is one of `inputs`.
    """
    if path is None or str(path) == "-":
        sys.stdout.buffer.write(b"")  # raises before the work if stdout is closed
        try:
            yield sys.stdout.buffer
        finally:
            sys.stdout.buffer.flush()
        return
    check_output(path, inputs)
    file = OutputFile(path)
    try:
        yield file
        file.open()  # the file is made even if there was nothing to write
    finally:
        file.close()
    note(f"Wrote {count_of(file.lines, 'line')} to '{path}'.")
