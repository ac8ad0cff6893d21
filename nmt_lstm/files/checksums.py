"""SHA-256 checksums: of files, of JSON objects that carry their own, and of archives that carry it as their comment."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import open_regular

__all__ = [
    "archive_is_sound",
    "checked_json",
    "checksum_of",
    "parse_checked",
    "seal_archive",
    "sealed",
    "sha256_of",
    "sha256_of_content",
    "unsealed",
]

_KEY = "sha256"
_BLOCK = 1 << 20
# The last record of a ZIP archive is 22 bytes long and ends in the length of the comment behind it.
_END_OF_ARCHIVE, _END_BYTES = b"PK\x05\x06", 22
_SIGN = b"sha256:"
_COMMENT_BYTES = len(_SIGN) + 64


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a regular file.

    Raises:
        OSError: it cannot be read, or is not a regular file.
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
    return json.dumps(sealed(values), indent=2) + "\n"


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with their checksum under the key "sha256"."""
    return {**values, _KEY: checksum_of(values)}


def unsealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given to `sealed`; values without a checksum, as earlier versions wrote, are taken as they are.

    Raises:
        ValueError: they are not those that were written.
    """
    inner = {key: value for key, value in values.items() if key != _KEY}
    if _KEY in values and values[_KEY] != checksum_of(inner):
        raise ValueError("it was changed: its checksum does not fit")
    return inner


def parse_checked(text: str | bytes) -> dict[str, Any]:
    """Return what `checked_json` wrote; an object without a checksum, as earlier versions wrote, is taken as it is.

    Raises:
        ValueError: it is no JSON object, or not the one that was written.
    """
    values = parse_json(text)
    if not isinstance(values, dict):
        raise ValueError("it holds no JSON object")  # noqa: TRY004 - of the text, as all that is wrong with it
    return unsealed(values)


def seal_archive(path: Path) -> None:
    """Write the checksum of a ZIP archive, such as PyTorch and NumPy save, into its comment: it stays an archive.

    Raises:
        ValueError: the file does not end as an archive without a comment does.
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
        file.write(_SIGN + digest.encode("ascii"))


def archive_is_sound(path: Path) -> bool:
    """Whether an archive is as it was sealed; also true where it was never sealed, as by earlier versions.

    Raises:
        OSError: it cannot be read, or is not a regular file.
    """
    with open_regular(path) as file:
        left = file.seek(0, os.SEEK_END) - _COMMENT_BYTES
        if left < 0:
            return True
        file.seek(left)
        comment = file.read()
        if not comment.startswith(_SIGN):
            return True
        file.seek(0)
        digest = hashlib.sha256()
        while left:
            block = file.read(min(left, _BLOCK))
            digest.update(block)
            left -= len(block)
        return comment == _SIGN + digest.hexdigest().encode("ascii")
