"""SHA-256 checksums: of files, in JSON objects under a key, and in ZIP archives as the comment."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import open_regular

__all__ = [
    "archive_is_intact",
    "checked_json",
    "checksum_of",
    "damaged_member",
    "parse_checked",
    "seal_archive",
    "sha256_of",
    "sha256_of_content",
    "with_checksum",
    "without_checksum",
]

_KEY = "sha256"
_BLOCK = 1 << 20
# The last record of a ZIP archive has 22 bytes, of which the last two are the length of the comment that follows.
_END_OF_ARCHIVE, _END_BYTES = b"PK\x05\x06", 22
_MARK = b"sha256:"
_COMMENT_BYTES = len(_MARK) + 64


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a regular file.

    Raises:
        OSError: the file cannot be read, or is not a regular file.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_content(content: bytes | str) -> str:
    """Return the hexadecimal SHA-256 of bytes, or of a text as UTF-8."""
    return hashlib.sha256(content.encode("utf-8") if isinstance(content, str) else content).hexdigest()


def checksum_of(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON object, whatever the order of its keys."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def checked_json(values: Mapping[str, Any]) -> str:
    """Return a JSON object with its checksum under the key "sha256"."""
    return json.dumps(with_checksum(values), indent=2) + "\n"


def with_checksum(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with their checksum under the key "sha256"."""
    return {**values, _KEY: checksum_of(values)}


def without_checksum(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check and remove the checksum of `with_checksum`; values of earlier versions, which have none, are accepted.

    Raises:
        ValueError: the values do not match their checksum.
    """
    inner = {key: value for key, value in values.items() if key != _KEY}
    if _KEY in values and values[_KEY] != checksum_of(inner):
        raise ValueError("it was changed: its checksum does not match")
    return inner


def parse_checked(text: str | bytes) -> dict[str, Any]:
    """Read what `checked_json` wrote; objects of earlier versions, which have no checksum, are accepted.

    Raises:
        ValueError: it is not a JSON object, or does not match its checksum.
    """
    values = parse_json(text)
    if not isinstance(values, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - an error of the text, like the others
    return without_checksum(values)


def seal_archive(path: Path) -> None:
    """Write the checksum of a ZIP archive, such as PyTorch and NumPy save, into its comment; it can be read as before.

    Raises:
        ValueError: the file is not an archive, or has a comment.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES))
        end = file.read()
        if not end.startswith(_END_OF_ARCHIVE) or not end.endswith(b"\x00\x00"):
            raise ValueError(f"'{path}' is not an archive without a comment")
        file.seek(size - 2)
        file.write(_COMMENT_BYTES.to_bytes(2, "little"))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0, os.SEEK_END)
        file.write(_MARK + digest.encode("ascii"))


def damaged_member(path: Path) -> str:
    """Return the first file in a ZIP archive that does not match the archive's own checksums; empty if all do.

    PyTorch and others write these checksums, and PyTorch does not look at them. It writes 0 if it was told to compute none.
    Compressed files, whose size could be anything, are left out; so is a file that is no archive.

    Raises:
        OSError: the file cannot be read, or is not a regular file.
    """
    with open_regular(path) as file:
        if not zipfile.is_zipfile(file):
            return ""
        try:
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    if member.CRC and member.compress_type == zipfile.ZIP_STORED:
                        try:
                            with archive.open(member) as content:
                                while content.read(_BLOCK):
                                    pass
                        except (zipfile.BadZipFile, EOFError):
                            return member.filename
        except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError):
            return "its list of files"
    return ""


def archive_is_intact(path: Path) -> bool:
    """Whether an archive matches its checksum; also True if it has none, as those of earlier versions.

    Raises:
        OSError: the file cannot be read, or is not a regular file.
    """
    with open_regular(path) as file:
        remaining = file.seek(0, os.SEEK_END) - _COMMENT_BYTES
        if remaining < 0:
            return True
        file.seek(remaining)
        comment = file.read()
        if not comment.startswith(_MARK):
            return True
        file.seek(0)
        digest = hashlib.sha256()
        while remaining:
            block = file.read(min(remaining, _BLOCK))
            digest.update(block)
            remaining -= len(block)
        return comment == _MARK + digest.hexdigest().encode("ascii")
