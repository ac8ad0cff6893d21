"""Output folders: a second process is refused, and names of other programs' files are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.errors import ResourceError
from nmt_lstm.files.folders import check_writable, exclusive_folder, foreign_names


def test_foreign_names_are_listed_in_order(tmp_path: Path) -> None:
    assert foreign_names(tmp_path) == foreign_names(tmp_path / "none") == ""
    for name in ("c", ".lock", "b"):
        (tmp_path / name).touch()
    assert foreign_names(tmp_path) == ".lock, b, c"
    assert foreign_names(tmp_path, lambda name: name.startswith(".")) == "b, c"
    assert foreign_names(tmp_path, lambda _: True) == ""


def test_only_the_first_of_many_names_are_listed(tmp_path: Path) -> None:
    for name in "edcba":
        (tmp_path / name).mkdir()
    assert foreign_names(tmp_path) == "a, b, c ..."


def test_a_second_process_of_a_command_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with exclusive_folder("nmt-lstm probe", folder):
        with (
            pytest.raises(ResourceError, match=r"another nmt-lstm probe .*folder'"),
            exclusive_folder("nmt-lstm probe", folder),
        ):
            pytest.fail("entered")
        assert list(folder.iterdir()) == []
    with exclusive_folder("nmt-lstm probe", folder):
        pass


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ResourceError, match=r"file/folder'.*Not a directory"),
        exclusive_folder("nmt-lstm probe", tmp_path / "file" / "folder"),
    ):
        pytest.fail("entered")


def test_an_error_inside_the_folder_is_not_converted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), exclusive_folder("nmt-lstm probe", tmp_path):
        (tmp_path / "none").read_text()


def test_the_check_of_a_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path)
    check_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/folder", "x" * 300])
def test_a_folder_that_cannot_be_written_is_found_before_it_is_created(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match=f"output folder '{tmp_path / name}'"):
        check_writable(tmp_path / name)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, as on Linux")
def test_permissions_are_not_trusted() -> None:
    with pytest.raises(ResourceError, match="create"):
        check_writable(Path("/proc/x/y"))
