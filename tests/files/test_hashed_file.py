"""A file with a running checksum is continued where it was recorded, or refused."""

from __future__ import annotations

import hashlib

import pytest

from nmt_lstm.files import hashed_file
from nmt_lstm.files.hashed_file import HashedFile, WrittenFile


def test_what_was_written_is_recorded_with_its_checksum(tmp_path) -> None:
    with HashedFile(tmp_path / "file") as file:
        assert file.written() == (0, hashlib.sha256(b"").hexdigest())
        file.write(b"abc")
        file.write(b"de")
        assert file.written() == (5, hashlib.sha256(b"abcde").hexdigest())
        assert (tmp_path / "file").read_bytes() == b"abcde"


def test_it_is_continued_and_later_content_is_discarded(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(hashed_file, "BLOCK", 2)
    path = tmp_path / "file"
    path.write_bytes(b"abcdeLOST")
    with HashedFile(path, WrittenFile(5, hashlib.sha256(b"abcde").hexdigest())) as file:
        file.write(b"fg")
        assert file.written() == (7, hashlib.sha256(b"abcdefg").hexdigest())
    assert path.read_bytes() == b"abcdefg"


@pytest.mark.parametrize("content", [b"abcdX", b"abc", b""])
def test_changed_content_is_refused(tmp_path, content) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="changed"):
        HashedFile(path, WrittenFile(5, hashlib.sha256(b"abcde").hexdigest()))
    assert path.read_bytes() == content
