"""Writing whole: the old file stays until the new one is complete, and errors name the file that was asked for."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from nmt_lstm.files.whole import replacing, write_whole


def test_a_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def stopped() -> None:
        with replacing(path) as beside:
            beside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_name_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(OSError, match="large") as caught, replacing(tmp_path / "file") as beside:
            beside.write_bytes(b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError) as missing, replacing(tmp_path / "none" / "file") as beside:
        beside.write_text("x")
    assert missing.value.filename == str(tmp_path / "none" / "file")


def test_what_a_killed_process_left_of_the_same_file_is_removed(tmp_path) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    process = int(gone.stdout)
    for name in (f".a[1].{process}", f".other.{process}", f".a[1].{os.getppid()}"):
        (tmp_path / name).touch()
    with replacing(tmp_path / "a[1]") as beside:
        beside.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {
        "a[1]",
        f".other.{process}",
        f".a[1].{os.getppid()}",
    }


@pytest.mark.parametrize(("content", "there"), [("ü\r\n\n", "ü\r\n\n".encode()), (b"\xff\r\n", b"\xff\r\n")])
def test_a_content_is_written_as_it_is_and_its_folder_made(
    tmp_path: Path, content: str | bytes, there: bytes
) -> None:
    path = tmp_path / "new" / "folder" / "file"
    for _ in range(2):
        write_whole(path, content)
    assert path.read_bytes() == there
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_content_that_is_not_on_the_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path / "file", "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space") as caught:
        write_whole(tmp_path / "file", "new")
    assert caught.value.filename == str(tmp_path / "file")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
