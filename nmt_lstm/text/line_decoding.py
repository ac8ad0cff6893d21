"""From bytes to lines of text: UTF-8, with errors that give line and byte."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from nmt_lstm.errors import DataError
from nmt_lstm.text.encoding_check import check_encoding
from nmt_lstm.text.zstandard_file import ZSTANDARD_DAMAGE

__all__ = ["DAMAGES", "decode_blocks", "decode_lines", "unreadable"]

DAMAGES = (OSError, EOFError, lzma.LZMAError, zlib.error, ZSTANDARD_DAMAGE)
"""The exceptions of reading an open file: of a failing disk, or a truncated or damaged archive."""
BLOCK = 1 << 18


def unreadable(
    error: Exception, name: str, place: str, *, path: Path | None = None, line: int | None = None
) -> DataError:
    """Return the error for a stream that cannot be read to its end.

    Args:
        error: one of `DAMAGES`; that of a file whose compressed data is cut off is EOFError.
        name: how messages refer to the stream.
        place: up to where it was read; empty if that is not known.
        path: its file.
        line: the line that cannot be read.
    """
    place = place and f" {place}"
    if isinstance(error, EOFError):
        text = (
            f"'{name}' is incomplete: its compressed data is cut off{place}. Copy or download the file again."
        )
    elif not isinstance(error, OSError) or error.errno is None:
        # What gzip and bz2 raise for their own format is an OSError without a number of the system.
        text = f"'{name}' is damaged: its compressed data cannot be read{place}. Copy or download the file again."
    else:
        text = f"cannot read '{name}'{place}: {error}."
    return DataError(text, path=path, line=line)


def decode_lines(stream: Iterable[bytes], name: str, *, path: Path | None = None) -> Iterator[str]:
    """Yield the lines of an open UTF-8 stream as `read_lines` does.

    Args:
        stream: lines of bytes.
        name: how messages refer to it.
        path: its file, for errors.

    Raises:
        DataError: the stream cannot be read to its end, or a line is not UTF-8 (with line and byte).
    """
    number = 0
    try:
        for number, line in enumerate(stream, 1):
            yield _decode(line, name, number, path)
    except DAMAGES as error:
        raise unreadable(error, name, f"after line {number:,}", path=path, line=number + 1) from None


def decode_blocks(stream: BinaryIO, name: str, *, path: Path) -> Iterator[str]:
    """Yield the lines of a file as `decode_lines` does, in less time: a block is decoded at once."""
    count, rest = 0, list[bytes]()
    try:
        while block := stream.read(BLOCK):
            head, end, tail = block.rpartition(b"\n")
            if not end:
                rest.append(block)
                continue
            for line in _decoded(b"".join([*rest, head]), name, count, path):
                count += 1
                yield line
            rest = [tail]
    except OSError as error:
        raise unreadable(error, name, f"after line {count:,}", path=path, line=count + 1) from None
    if last := b"".join(rest):
        yield _decode(last, name, count + 1, path)


def _decoded(block: bytes, name: str, before: int, path: Path) -> Iterable[str]:
    """Return the lines of a block, without its last line end, that follows `before` lines."""
    if before and b"\r" not in block:
        try:
            return block.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            pass  # the lines before the invalid one are valid
    return (_decode(line, name, number, path) for number, line in enumerate(block.split(b"\n"), before + 1))


def _decode(line: bytes, name: str, number: int, path: Path | None) -> str:
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if number == 1:
        check_encoding(line, name, path)
        line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"'{name}' is not UTF-8 at line {number:,}, byte {error.start + 1} of the line "
            f"(0x{line[error.start]:02x}). Convert it, for example with: iconv -f latin1 -t utf-8.",
            path=path,
            line=number,
        ) from None
