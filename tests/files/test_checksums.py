"""Checksums: any flipped bit is seen, and files of earlier versions, which have none, are still read."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nmt_lstm.files.checksums import (
    archive_is_sound,
    checked_json,
    checksum_of,
    parse_checked,
    seal_archive,
    sha256_of,
    sha256_of_content,
)


def flipped(content: bytes, bit: int) -> bytes:
    return content[: bit // 8] + bytes([content[bit // 8] ^ (1 << bit % 8)]) + content[bit // 8 + 1 :]


def test_objects_come_back() -> None:
    values = {"b": [1, 2.5, None], "a": {"ü": "x\u2028"}}
    assert parse_checked(checked_json(values)) == values
    assert checksum_of({"a": 1, "b": 2}) == checksum_of({"b": 2, "a": 1})


def test_objects_without_a_checksum_are_taken_as_they_are() -> None:
    assert parse_checked('{"version": 1}') == {"version": 1}


def test_a_changed_object_is_refused() -> None:
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


def test_a_sealed_archive_is_sound_and_still_an_archive(archive: Path) -> None:
    assert archive_is_sound(archive)
    assert np.load(archive)["values"].tolist() == list(range(20))
    with zipfile.ZipFile(archive) as opened:
        assert opened.comment.startswith(b"sha256:")
        assert opened.testzip() is None


def test_an_archive_that_was_never_sealed_is_taken_as_it_is(tmp_path: Path) -> None:
    np.savez(tmp_path / "old.npz", values=np.arange(3))
    (tmp_path / "short").write_bytes(b"x")
    assert archive_is_sound(tmp_path / "old.npz")
    assert archive_is_sound(tmp_path / "short")


def test_every_flipped_bit_before_the_checksum_is_seen(archive: Path) -> None:
    content = archive.read_bytes()
    sign = content.rindex(b"sha256:")
    for bit in range(0, 8 * sign, 7):
        archive.write_bytes(flipped(content, bit))
        assert not archive_is_sound(archive)
    for bit in range(8 * (sign + len("sha256:")), 8 * len(content), 5):
        archive.write_bytes(flipped(content, bit))
        assert not archive_is_sound(archive)


def test_what_is_not_an_archive_is_not_sealed(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "text").write_bytes(b"no archive, but long enough to be one")
    for path in (tmp_path / "text", archive):
        with pytest.raises(ValueError, match="archive"):
            seal_archive(path)


def test_digests_are_those_of_regular_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_of(tmp_path / "file").startswith("ba7816bf8f01cfea")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="regular"):
        sha256_of(tmp_path / "pipe")


@pytest.mark.parametrize("content", ["", "ü\r\n", b"\xff\x00"])
def test_digests_of_contents_are_those_of_files_with_them(tmp_path: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / "file").write_bytes(data)
    assert sha256_of_content(content) == sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()
