"""Checksums: every flipped bit is detected, and files of earlier versions, which have none, are accepted."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from nmt_lstm.files.checksums import (
    archive_is_intact,
    checked_json,
    checksum_of,
    damaged_member,
    parse_checked,
    seal_archive,
    sha256_of,
    sha256_of_content,
)


def flipped(content: bytes, bit: int) -> bytes:
    """The content with one bit changed."""
    return content[: bit // 8] + bytes([content[bit // 8] ^ (1 << bit % 8)]) + content[bit // 8 + 1 :]


def test_objects_are_read_back() -> None:
    values = {"b": [1, 2.5, None], "a": {"ü": "x\u2028"}}
    assert parse_checked(checked_json(values)) == values
    assert checksum_of({"a": 1, "b": 2}) == checksum_of({"b": 2, "a": 1})


def test_objects_without_a_checksum_are_accepted() -> None:
    assert parse_checked('{"version": 1}') == {"version": 1}


def test_a_modified_object_is_refused() -> None:
    values = json.loads(checked_json({"pairs": 1}))
    with pytest.raises(ValueError, match="checksum"):
        parse_checked(json.dumps({**values, "pairs": 2}))
    for text in ("[]", "1", "{"):
        with pytest.raises(ValueError, match=r".+"):
            parse_checked(text)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive.npz"
    np.savez_compressed(path, values=np.arange(20))
    seal_archive(path)
    return path


def test_a_sealed_archive_is_intact_and_still_an_archive(archive: Path) -> None:
    assert archive_is_intact(archive)
    assert np.load(archive)["values"].tolist() == list(range(20))
    with zipfile.ZipFile(archive) as opened:
        assert opened.comment.startswith(b"sha256:")
        assert opened.testzip() is None


def test_an_archive_without_a_checksum_is_accepted(tmp_path: Path) -> None:
    np.savez(tmp_path / "old.npz", values=np.arange(3))
    (tmp_path / "short").write_bytes(b"x")
    assert archive_is_intact(tmp_path / "old.npz")
    assert archive_is_intact(tmp_path / "short")


def test_every_flipped_bit_is_detected(archive: Path) -> None:
    content = archive.read_bytes()
    mark = content.rindex(b"sha256:")
    for bit in range(0, 8 * mark, 7):
        archive.write_bytes(flipped(content, bit))
        assert not archive_is_intact(archive)
    for bit in range(8 * (mark + len("sha256:")), 8 * len(content), 5):
        archive.write_bytes(flipped(content, bit))
        assert not archive_is_intact(archive)


def test_only_an_archive_without_a_comment_is_sealed(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "text").write_bytes(b"no archive, but long enough to be one")
    for path in (tmp_path / "text", archive):
        with pytest.raises(ValueError, match="archive"):
            seal_archive(path)


def test_only_regular_files_have_a_digest(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_of(tmp_path / "file").startswith("ba7816bf8f01cfea")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="regular"):
        sha256_of(tmp_path / "pipe")


@pytest.mark.parametrize("content", ["", "ü\r\n", b"\xff\x00"])
def test_the_digest_of_a_content_is_that_of_a_file_with_it(tmp_path: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / "file").write_bytes(data)
    assert sha256_of_content(content) == sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_a_changed_file_in_an_archive_is_found(tmp_path):
    path = tmp_path / "archive"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one", bytes(1000))
        archive.writestr("two", b"two" * 100)
    assert damaged_member(path) == ""
    content = path.read_bytes()
    path.write_bytes(content.replace(b"twotwo", b"twotvo", 1))
    assert damaged_member(path) == "two"
    path.write_bytes(b"no archive")
    assert damaged_member(path) == ""
    # PyTorch can be told to compute no checksums, and then writes 0.
    path.write_bytes(content.replace(struct.pack("<L", zlib.crc32(b"two" * 100)), bytes(4)))
    assert damaged_member(path) == ""
