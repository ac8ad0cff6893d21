"""Reading a text file line by line: plain or compressed, in UTF-8, with errors that give file, line and byte."""

from __future__ import annotations

import bz2
import functools
import gzip
import itertools
import logging
import lzma
import re
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from nmt_lstm.errors import DataError, nearest
from nmt_lstm.text.columns import ColumnReader, file_of, split_column
from nmt_lstm.text.encoding_check import MAX_SIGNATURE_LENGTH, compression_of
from nmt_lstm.text.line_decoding import DAMAGES, decode_blocks, decode_lines, unreadable
from nmt_lstm.text.zstandard_file import create_zstandard, open_zstandard

__all__ = [
    "COMPRESSED_SUFFIXES",
    "check_rereadable",
    "count_lines",
    "create_bytes",
    "language_of",
    "open_bytes",
    "read_blocks",
    "read_lines",
    "read_texts",
    "short_path",
]

COMPRESSED_SUFFIXES = (".gz", ".xz", ".bz2", ".zst")
"""Suffixes of files that are decompressed while they are read."""
# Also accepted: LZMA's older format, and the skippable frames of Zstandard.
OTHER_SIGNATURES = re.compile(rb"\x5d\x00\x00|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
MAX_NAMES = 10_000

logger = logging.getLogger(__name__)


def open_bytes(path: Path) -> BinaryIO:
    """Open a plain, .gz, .xz, .bz2 or .zst file for reading bytes; for "pairs.tsv:1" all columns.

    Raises:
        DataError: the file is missing, a folder, unreadable, in a different format than its suffix says, or in one whose
            library is not installed.
    """
    path = file_of(path)
    if path.is_dir():
        raise DataError(f"'{path}' is a folder; give a text file (plain, .gz, .xz, .bz2 or .zst).", path=path)
    try:
        if path.is_file():
            _check_suffix(path)
        match path.suffix:
            case ".gz":
                return cast(BinaryIO, gzip.open(path, "rb"))
            case ".xz":
                return cast(BinaryIO, lzma.open(path, "rb"))
            case ".bz2":
                return cast(BinaryIO, bz2.open(path, "rb"))
            case ".zst":
                return open_zstandard(path)
            case _:
                return path.open("rb")
    except FileNotFoundError:
        raise DataError(f"'{path}' does not exist.{_suggestion(path)}", path=path) from None
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror or error}.", path=path) from None


def create_bytes(path: Path, *, suffix: str | None = None) -> BinaryIO:
    """Open a file for writing bytes, compressed as its suffix says: .gz, .xz, .bz2 and .zst.

    The same bytes make the same file: the time is not written.

    Args:
        path: of the file.
        suffix: of the name that the file will get, if it is not that of `path`.

    Raises:
        DataError: the library of the format is not installed.
        OSError: the file cannot be written.
    """
    match (path.suffix if suffix is None else suffix).lower():
        case ".gz":
            # Without the name, which would be that of a temporary file.
            return cast(BinaryIO, _UnnamedGzip(path))
        case ".xz":
            return cast(BinaryIO, lzma.open(path, "wb"))
        case ".bz2":
            return cast(BinaryIO, bz2.open(path, "wb"))
        case ".zst":
            return create_zstandard(path)
        case _:
            return path.open("wb")


class _UnnamedGzip(gzip.GzipFile):
    """A .gz file for writing, without name and time; it closes the file below it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        super().__init__(filename="", mode="wb", fileobj=self._file, mtime=0)

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._file.close()


def _check_suffix(path: Path) -> None:
    """Refuse a file whose signature does not match its suffix."""
    with path.open("rb") as file:
        beginning = file.read(MAX_SIGNATURE_LENGTH)
    suffix = compression_of(beginning)
    if suffix == path.suffix or len(beginning) < MAX_SIGNATURE_LENGTH:  # so short a file may be truncated
        return
    if suffix:
        plain = path.with_suffix("") if path.suffix in COMPRESSED_SUFFIXES else path
        raise DataError(f"'{path}' is compressed; rename it to '{plain.name}{suffix}'.", path=path)
    if path.suffix in COMPRESSED_SUFFIXES and not OTHER_SIGNATURES.match(beginning):
        raise DataError(
            f"'{path}' is not a {path.suffix} file, although its name says so; if it is plain text, rename it to "
            f"'{path.stem}'.",
            path=path,
        )


def _suggestion(path: Path) -> str:
    """Return a sentence about a missing file: its folder is missing, too, or contains a similar name."""
    if str(path) == "-":  # the options that read standard input do not get here
        return " Standard input cannot be read here; save the text as a file first."
    folder = path.parent
    if not folder.is_dir():
        return f" The folder '{folder}' does not exist."
    try:
        names = sorted(entry.name for entry in itertools.islice(folder.iterdir(), MAX_NAMES))
    except OSError:
        return ""
    return nearest(path.name, names)


def read_lines(path: str | Path) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 file; only ``\n`` (or ``\r\n``) ends a line, not U+2028 or other separators.

    Of a column, such as "pairs.tsv:1", lines with an unusual number of columns are left out.

    Raises:
        DataError: the file cannot be read, a line is not UTF-8 (with file, line and byte), or too many lines have an unusual
            number of columns.
    """
    return (text for text in read_texts(Path(path)) if text is not None)


def read_texts(path: Path) -> Iterator[str | None]:
    """Yield the lines of a UTF-8 file as `read_lines` does; None for a line with an unusual number of columns.

    Raises:
        DataError: as for `read_lines`.
    """
    file, column = split_column(path)
    with open_bytes(file) as stream:
        # Python's decompressing files know where they failed only if they are read line by line.
        is_plain = isinstance(stream, BufferedReader)
        lines = (decode_blocks if is_plain else decode_lines)(stream, str(file), path=file)
        if column is None:
            yield from lines
            return
        reader = ColumnReader(lines, short_path(file), column)
        yield from reader.texts()
        if warning := reader.warning():
            _warn(warning)


def short_path(path: Path) -> Path:
    """Return a path as it is shortest to read; so the same file always has the same name."""
    path = path.absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@functools.cache
def _warn(message: str) -> None:
    """Log a warning only once, although the text is read several times."""
    logger.warning("%s", message)


def count_lines(path: Path) -> int:
    """Return the number of lines of a file, without decoding it.

    Raises:
        DataError: the file cannot be read.
    """
    lines = 0
    last = b"\n"
    for block in read_blocks(path):
        lines += block.count(b"\n")
        last = block[-1:]
    return lines + (last != b"\n")


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yield the (uncompressed) bytes of a file, a megabyte at a time.

    Raises:
        DataError: the file cannot be read, or its compression is damaged.
    """
    with open_bytes(path) as file:
        size = 0
        try:
            while block := file.read(1 << 20):
                yield block
                size += len(block)
        except DAMAGES as error:
            place = f"after byte {size:,}" if size else ""
            raise unreadable(error, str(path), place, path=path) from None


def language_of(path: Path) -> str:
    """Guess a language code from a file name, such as "de" from train.de.gz; empty if it contains none."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSED_SUFFIXES]
    code = suffixes[-1][1:] if suffixes else ""
    return code if 2 <= len(code) <= 3 and code.isalpha() and code not in ("txt", "tok", "raw", "tsv") else ""


def check_rereadable(*paths: Path | None) -> None:
    """Refuse pipes and devices for text that is read more than once: reopening one would wait for a writer forever.

    Args:
        paths: of the files; None is no file.

    Raises:
        DataError: a path is a pipe, a device or a socket.
    """
    for path in (file_of(path) for path in paths if path is not None):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise DataError(
                f"'{path}' is a pipe or device, but the text is read more than once; save it as a file first.",
                path=path,
            )
