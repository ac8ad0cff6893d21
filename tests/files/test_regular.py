"""Reading regular files: pipes, devices, folders and files above the limit are refused, and links are followed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nmt_lstm.files.regular import open_regular, read_regular


def test_a_file_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "file") == read_regular(tmp_path / "link") == b"content"
    assert read_regular(tmp_path / "file", 7) == b"content"


@pytest.mark.parametrize("limit", [6, 0])
def test_a_file_above_the_limit_is_refused(tmp_path: Path, limit: int) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with pytest.raises(OSError, match="MiB") as caught:
        read_regular(tmp_path / "file", limit)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "file"))


def test_pipes_devices_and_folders_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(OSError, match="regular file") as caught:
            read_regular(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none")


def test_no_handle_stays_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with open_regular(tmp_path / "file") as file:
        handle = file.fileno()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)
