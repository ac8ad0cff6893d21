"""Line-aligned text: files of one sentence per line, plain or compressed, read without loading them."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from nmt_lstm.errors import DataError, nearest
from nmt_lstm.text.misalignment import find_misalignment, lengths_are_related
from nmt_lstm.text.zstandard_file import ZSTANDARD_DAMAGE, open_zstandard

__all__ = [
    "COMPRESSED_SUFFIXES",
    "DAMAGES",
    "check_lengths",
    "check_rereadable",
    "count_lines",
    "count_usable",
    "decoded",
    "language_of",
    "open_bytes",
    "read_blocks",
    "read_lines",
    "read_parallel",
]

DAMAGES = (OSError, EOFError, lzma.LZMAError, zlib.error, ZSTANDARD_DAMAGE)
"""What reading an opened file may raise: a bad disk, a cut or damaged archive."""
COMPRESSED_SUFFIXES = (".gz", ".xz", ".bz2", ".zst")
"""Endings of the names of files that are decompressed while they are read."""
# How compressed files begin, and what to call them; bzip2 has a digit and a fixed number after its name.
COMPRESSED = {
    re.compile(rb"\x1f\x8b"): ".gz",
    re.compile(rb"\xfd7zXZ\x00"): ".xz",
    re.compile(rb"\x28\xb5\x2f\xfd"): ".zst",
    re.compile(rb"BZh[1-9]1AY&SY"): ".bz2",
}
LONGEST_BEGINNING = 10
# What the readers know besides: LZMA's older format, and the skippable frames of Zstandard.
OTHER_BEGINNINGS = re.compile(rb"\x5d\x00\x00|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
NAMES_LOOKED_AT = 10_000
# UTF-32 comes first: its mark begins with that of UTF-16.
BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# Bytes of a first line that are enough to tell.
SHORTEST_UTF_16 = 8


def open_bytes(path: Path) -> BinaryIO:
    """Open a plain, .gz, .xz, .bz2 or .zst file for reading bytes.

    Raises:
        DataError: the file is missing, a folder, unreadable, not what its name says, or of a kind that needs a library
            not installed.
    """
    if path.is_dir():
        raise DataError(f"'{path}' is a folder; a text file (plain, .gz, .xz, .bz2 or .zst) is needed.")
    try:
        if path.is_file():
            _check_name(path)
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
        raise DataError(f"'{path}' does not exist.{_near(path)}") from None
    except OSError as error:
        raise DataError(f"Cannot read '{path}': {error.strerror or error}.") from None


def _check_name(path: Path) -> None:
    """Refuse a file whose beginning is not what the ending of its name promises."""
    with path.open("rb") as file:
        beginning = file.read(LONGEST_BEGINNING)
    kind = _compression_of(beginning)
    if kind == path.suffix or len(beginning) < LONGEST_BEGINNING:  # so short a file may be a cut one
        return
    if kind:
        plain = path.with_suffix("") if path.suffix in COMPRESSED_SUFFIXES else path
        raise DataError(f"'{path}' is compressed; rename it to '{plain.name}{kind}' to have it read.")
    if path.suffix in COMPRESSED_SUFFIXES and not OTHER_BEGINNINGS.match(beginning):
        raise DataError(
            f"'{path}' is not a {path.suffix} file, but its name says so; if it is plain text, rename it to '{path.stem}'."
        )


def _compression_of(beginning: bytes) -> str:
    """Return the ending of the names of files that begin like this, such as ".gz"; empty for others."""
    return next((suffix for known, suffix in COMPRESSED.items() if known.match(beginning)), "")


def _near(path: Path) -> str:
    """Return where a path that leads nowhere goes wrong: its folder, or a name much like one that is there."""
    folder = path.parent
    if not folder.is_dir():
        return f" There is no folder '{folder}'."
    try:
        names = sorted(entry.name for entry in itertools.islice(folder.iterdir(), NAMES_LOOKED_AT))
    except OSError:
        return ""
    return nearest(path.name, names)


def read_lines(path: Path) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 file; only ``\n`` (or ``\r\n``) ends a line, never U+2028 and its like.

    Raises:
        DataError: the file cannot be read, or a line is not UTF-8 (with file, line and byte).
    """
    with open_bytes(path) as file:
        yield from decoded(file, str(path))


def decoded(stream: Iterable[bytes], name: str) -> Iterator[str]:
    """Yield the lines of an open UTF-8 stream as `read_lines` does; `name` is what messages call it.

    Raises:
        DataError: it cannot be read to its end, or a line is not UTF-8 (with line and byte).
    """
    number = 0
    try:
        for number, line in enumerate(stream, 1):
            yield _decoded(line, name, number)
    except DAMAGES as error:
        raise DataError(f"Cannot read '{name}' after line {number:,}: {error}.") from None


def _decoded(line: bytes, name: str, number: int) -> str:
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if number == 1:
        _check_beginning(line, name)
        line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"'{name}' is not UTF-8 at line {number:,}, byte {error.start + 1} of the line "
            f"(0x{line[error.start]:02x}). Convert it, for instance with: iconv -f latin1 -t utf-8."
        ) from None


def _check_beginning(line: bytes, name: str) -> None:
    """Refuse a file whose first bytes say that it is not UTF-8 text; some of these would decode as UTF-8."""
    compression = _compression_of(line)
    if compression:  # a stream: files are known when they are opened
        raise DataError(f"'{name}' is compressed ({compression}); decompress it first.")
    encoding = next((known for mark, known in BYTE_ORDER_MARKS.items() if line.startswith(mark)), "")
    # Without a mark, every other byte of Latin letters in UTF-16 is zero, which is valid UTF-8 and no text.
    if not encoding and len(line) >= SHORTEST_UTF_16:
        zeros = line[::2].count(0), line[1::2].count(0)
        if min(zeros) == 0 and max(zeros) > len(line) // 4:
            encoding = "utf-16le" if zeros[1] else "utf-16be"
    if encoding:
        raise DataError(
            f"'{name}' is not UTF-8 at line 1, byte 1 (it is {encoding.upper()}). Convert it, for instance with: "
            f"iconv -f {encoding} -t utf-8."
        )


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
        done = 0
        try:
            while block := file.read(1 << 20):
                yield block
                done += len(block)
        except DAMAGES as error:
            raise DataError(f"Cannot read '{path}' after byte {done:,}: {error}.") from None


def language_of(path: Path) -> str:
    """Guess a language code from a file's name, such as "de" of train.de.gz; empty if it has none."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSED_SUFFIXES]
    code = suffixes[-1][1:] if suffixes else ""
    return code if 2 <= len(code) <= 3 and code.isalpha() and code not in ("txt", "tok", "raw") else ""


def check_rereadable(*paths: Path) -> None:
    """Refuse pipes and devices where text is read more than once: a second opening would wait for a writer forever.

    Raises:
        DataError: a path is a pipe, a device or a socket.
    """
    for path in paths:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise DataError(
                f"'{path}' is a pipe or device; the text is read more than once: save it as a file first."
            )


def read_parallel(source: Path, target: Path) -> Iterator[tuple[str, str]]:
    """Yield the pairs of two line-aligned files.

    Raises:
        DataError: a file is a pipe, cannot be read or is empty, or they differ in length.
    """
    check_rereadable(source, target)  # the lengths are counted again where they differ
    read = 0
    source_lines, target_lines = read_lines(source), read_lines(target)
    for source_line in source_lines:
        read += 1
        target_line = next(target_lines, None)
        if target_line is None:
            raise _different_lengths(source, target)
        yield source_line, target_line
    if next(target_lines, None) is not None:
        raise _different_lengths(source, target)
    if not read:
        raise _nothing_in(source)


def check_lengths(source: Path, target: Path) -> int:
    """Return the number of pairs of two line-aligned files.

    Raises:
        DataError: a file is a pipe or cannot be read, they are empty, or differ in length.
    """
    check_rereadable(source, target)
    counts = count_lines(source), count_lines(target)
    if counts[0] != counts[1]:
        raise _different_lengths(source, target)
    if not counts[0]:
        raise _nothing_in(source)
    return counts[0]


def count_usable(source: Path, target: Path) -> int:
    """Return how many pairs of two line-aligned files have text on both sides, which is what can be learnt from.

    Raises:
        DataError: as `read_parallel`, or all lines of a file are blank.
    """
    # How often which of the two sides has text.
    pairs = Counter((bool(one.strip()), bool(other.strip())) for one, other in read_parallel(source, target))
    usable = pairs[True, True]
    blank = [
        f"'{path}'"
        for path, alone in ((source, (True, False)), (target, (False, True)))
        if not usable + pairs[alone]
    ]
    if blank:
        raise DataError(
            f"{' and '.join(blank)} {'holds' if len(blank) == 1 else 'hold'} only blank lines; a model learns from pairs "
            f"of lines with text on both sides."
        )
    return usable


def _nothing_in(source: Path) -> DataError:
    return DataError(f"'{source}' is empty; training and validation need at least one line.")


def _different_lengths(source: Path, target: Path) -> DataError:
    counts = count_lines(source), count_lines(target)
    return DataError(
        f"'{source}' has {counts[0]:,} lines and '{target}' has {counts[1]:,}; each line must have its translation on "
        f"the same line of the other file. {_first_sign(source, target, min(counts))}"
    )


def _first_sign(source: Path, target: Path, shared: int) -> str:
    """Say where the files seem to part: where lengths stop agreeing, else a line empty on one side, else the end."""
    lengths = [
        (len(one), len(other)) for one, other in zip(read_lines(source), read_lines(target), strict=False)
    ]
    place = find_misalignment(lengths)
    if not lengths_are_related(lengths[: place - 1] if place is not None else lengths):
        return "They do not look like two sides of the same text: long lines do not stand beside long ones."
    if place is not None:
        return f"They seem to part near line {place:,}: from there on the lengths of the lines do not match."
    for number, (one, other) in enumerate(zip(read_lines(source), read_lines(target), strict=False), 1):
        if bool(one.strip()) != bool(other.strip()):
            empty = source if other.strip() else target
            return f"The first place to look is line {number:,}, which is empty in '{empty}' alone."
    return f"The lengths of the lines match to the end of the shorter file, which is after line {shared:,}."
