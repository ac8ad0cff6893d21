"""Bytes that are not UTF-8 text, recognised by their beginning: compressed data, UTF-16, other encodings, binary files."""

from __future__ import annotations

import re
from pathlib import Path

from nmt_lstm.errors import DataError

__all__ = ["MAX_BYTES", "MAX_SIGNATURE_LENGTH", "check_encoding", "check_readable", "compression_of"]

# Suffixes by the signatures of compressed files; that of bzip2 contains a digit and a fixed number.
SIGNATURES = {
    re.compile(rb"\x1f\x8b"): ".gz",
    re.compile(rb"\xfd7zXZ\x00"): ".xz",
    re.compile(rb"\x28\xb5\x2f\xfd"): ".zst",
    re.compile(rb"BZh[1-9]1AY&SY"): ".bz2",
}
MAX_SIGNATURE_LENGTH = 10
# UTF-32 first: its mark begins with that of UTF-16.
BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# Fewest bytes of a first line by which UTF-16 without a mark is recognised.
MIN_UTF_16_BYTES = 8
# Of a first line, the fewest and the most bytes that decide, and the share of its characters that text seldom has: in
# Latin-1 at most 0.1 are not UTF-8, in text of other scripts and in binary files nearly all are.
MIN_BYTES = 16
MAX_BYTES = 1_000
LARGEST_SHARE = 0.3
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")


def compression_of(beginning: bytes) -> str:
    """Return the suffix of compressed files that begin like this, such as ".gz"; empty for other files."""
    return next((suffix for signature, suffix in SIGNATURES.items() if signature.match(beginning)), "")


def check_encoding(line: bytes, name: str, path: Path | None = None) -> None:
    """Refuse text whose first line shows that it is not UTF-8, although some of it could be decoded as UTF-8.

    Args:
        line: the beginning of the text.
        name: how messages refer to it.
        path: its file, for the error.

    Raises:
        DataError: it is compressed, or in UTF-16 or UTF-32.
    """
    compression = compression_of(line)
    if compression:  # only of a stream: files are checked when they are opened
        raise DataError(f"'{name}' is compressed ({compression}); decompress it first.", path=path)
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if line.startswith(mark)), "")
    # Without a mark, every other byte of Latin letters in UTF-16 is zero, which is valid UTF-8 but not text.
    if not encoding and len(line) >= MIN_UTF_16_BYTES:
        zeros = line[::2].count(0), line[1::2].count(0)
        if min(zeros) == 0 and max(zeros) > len(line) // 4:
            encoding = "utf-16le" if zeros[1] else "utf-16be"
    if encoding:
        raise DataError(
            f"'{name}' is not UTF-8 at line 1, byte 1 (it is {encoding.upper()}). Convert it, for example with: "
            f"iconv -f {encoding} -t utf-8.",
            path=path,
            line=1,
        )


def check_readable(line: bytes, name: str, path: Path | None = None) -> None:
    """Refuse a text of which single bytes may be replaced, but whose first line has hardly anything else.

    Args:
        line: the beginning of the text.
        name: how messages refer to it.
        path: its file, for the error.

    Raises:
        DataError: most of the line is not text in UTF-8; or as `check_encoding`.
    """
    check_encoding(line, name, path)
    beginning = line[:MAX_BYTES]
    if len(beginning) < MIN_BYTES:
        return
    text = beginning.decode("utf-8", errors="replace")
    share = len(_NOT_TEXT.findall(text)) / len(text)
    if share > LARGEST_SHARE:
        raise DataError(
            f"'{name}' does not look like text in UTF-8: {share:.0%} of the characters of its first line are invalid or control "
            f"characters. Name a text file; convert text in a different encoding with: iconv -f ENCODING -t utf-8.",
            path=path,
            line=1,
        )
