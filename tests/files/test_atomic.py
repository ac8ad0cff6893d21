"""Atomic writes: the old file stays until the new one is complete, and stale temporary files are removed."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from nmt_lstm.files.atomic import (
    complete_folder,
    remove_stale,
    replacing,
    temporary_path,
    temporary_prefix,
    write_atomically,
)


def test_a_file_replaces_the_old_one_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def interrupted_write() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_name_the_final_path(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(OSError, match="large") as caught, replacing(tmp_path / "file") as temporary:
            temporary.write_bytes(b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError) as missing, replacing(tmp_path / "none" / "file") as temporary:
        temporary.write_text("x")
    assert missing.value.filename == str(tmp_path / "none" / "file")


@pytest.fixture
def ended() -> int:
    """Id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_file_that_a_killed_process_left_is_removed_by_the_next_write(tmp_path, ended) -> None:
    for name in (f".a[1].{ended}", f".other.{ended}", f".a[1].{os.getppid()}"):
        (tmp_path / name).touch()
    write_atomically(tmp_path / "a[1]", "complete")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a[1]", f".other.{ended}", f".a[1].{os.getppid()}"}


@pytest.mark.parametrize(
    ("content", "written"), [("ü\r\n\n", "ü\r\n\n".encode()), (b"\xff\r\n", b"\xff\r\n")]
)
def test_content_is_written_unchanged_and_missing_folders_are_created(
    tmp_path: Path, content: str | bytes, written: bytes
) -> None:
    path = tmp_path / "new" / "folder" / "file"
    for _ in range(2):
        write_atomically(path, content)
    assert path.read_bytes() == written
    assert [file.name for file in path.parent.iterdir()] == ["file"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(tmp_path / "file", "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space") as caught:
        write_atomically(tmp_path / "file", "new")
    assert caught.value.filename == str(tmp_path / "file")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_only_the_temporary_files_of_ended_processes_are_removed(tmp_path: Path, ended: int) -> None:
    running = os.getppid()
    for name in (
        f".last.ckpt.{ended}",
        f".last.ckpt.{running}",
        "last.ckpt",
        ".last.ckpt.note",
        f".other.{ended}",
    ):
        (tmp_path / name).touch()
    remove_stale(tmp_path, files="*.ckpt")
    assert {path.name for path in tmp_path.iterdir()} == {
        f".last.ckpt.{running}",
        "last.ckpt",
        ".last.ckpt.note",
        f".other.{ended}",
    }


def test_temporary_folders_of_ended_processes_are_removed_with_their_contents(
    tmp_path: Path, ended: int
) -> None:
    for name in (f".writing-{ended}-abc", f".writing-{os.getppid()}-abc", ".writing-abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model").touch()
    remove_stale(tmp_path, folders="writing")
    assert {path.name for path in tmp_path.iterdir()} == {f".writing-{os.getppid()}-abc", ".writing-abc"}


def test_stale_files_of_this_process_are_found_by_their_names(tmp_path: Path) -> None:
    """They are no longer being written: this process looks for them only before it writes."""
    temporary_path(tmp_path / "last.ckpt").touch()
    (tmp_path / f"{temporary_prefix('writing')}abc").mkdir()
    remove_stale(tmp_path, files="*.ckpt", folders="writing")
    assert list(tmp_path.iterdir()) == []


def test_a_stale_link_is_removed_and_not_followed(tmp_path: Path, ended: int) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / f".writing-{ended}-abc").symlink_to(tmp_path / "precious")
    remove_stale(tmp_path, folders="writing")
    assert [path.name for path in tmp_path.rglob("*")] == ["precious", "file"]


def test_nothing_is_stale_in_a_missing_folder(tmp_path: Path) -> None:
    remove_stale(tmp_path / "none", files="*", folders="writing")


def is_sound(folder: Path) -> bool:
    """Whether a folder holds the file that the tests write."""
    return (folder / "file").is_file()


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    with complete_folder(tmp_path / "folder", is_sound) as unfinished:
        (unfinished / "file").touch()
        assert not (tmp_path / "folder").exists()
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "folder", tmp_path / "folder" / "file"]


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), complete_folder(tmp_path / "folder", is_sound):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_faster_process_is_kept(tmp_path: Path) -> None:
    with complete_folder(tmp_path / "folder", is_sound) as unfinished:
        (unfinished / "file").write_text("second")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "file").write_text("first")
    assert (tmp_path / "folder" / "file").read_text() == "first"
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_a_damaged_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "damage").touch()
    with complete_folder(tmp_path / "folder", is_sound) as unfinished:
        (unfinished / "file").touch()
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "folder", tmp_path / "folder" / "file"]
