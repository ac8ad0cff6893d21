"""Temporary files of processes that are gone are removed, those of others are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nmt_lstm.files.left_overs import beside, remove_left_overs, temporary_prefix


@pytest.fixture
def gone() -> int:
    """Id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_files_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path, gone: int) -> None:
    alive = os.getppid()
    for name in (
        f".last.ckpt.{gone}",
        f".last.ckpt.{alive}",
        "last.ckpt",
        ".last.ckpt.note",
        f".other.{gone}",
    ):
        (tmp_path / name).touch()
    remove_left_overs(tmp_path, files="*.ckpt")
    assert {path.name for path in tmp_path.iterdir()} == {
        f".last.ckpt.{alive}",
        "last.ckpt",
        ".last.ckpt.note",
        f".other.{gone}",
    }


def test_folders_of_the_dead_go_with_all_that_is_in_them(tmp_path: Path, gone: int) -> None:
    for name in (f".writing-{gone}-abc", f".writing-{os.getppid()}-abc", ".writing-abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model").touch()
    remove_left_overs(tmp_path, folders="writing")
    assert {path.name for path in tmp_path.iterdir()} == {f".writing-{os.getppid()}-abc", ".writing-abc"}


def test_names_are_those_that_are_looked_for(tmp_path: Path) -> None:
    """What this process itself has left is no longer being written."""
    beside(tmp_path / "last.ckpt").touch()
    (tmp_path / f"{temporary_prefix('writing')}abc").mkdir()
    remove_left_overs(tmp_path, files="*.ckpt", folders="writing")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_removed_and_not_followed(tmp_path: Path, gone: int) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / f".writing-{gone}-abc").symlink_to(tmp_path / "precious")
    remove_left_overs(tmp_path, folders="writing")
    assert [path.name for path in tmp_path.rglob("*")] == ["precious", "file"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    remove_left_overs(tmp_path / "none", files="*", folders="writing")
