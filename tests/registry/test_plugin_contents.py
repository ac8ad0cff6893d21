"""The contents of plugin files and folders: what is read, what is refused, and what counts as a difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.errors import PluginError
from nmt_lstm.registry import plugin_contents, read_contents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin folder with one file."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("# a plugin\n")
    return folder


def test_bytecode_and_hidden_files_are_skipped(folder):
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"x")
    (folder / ".hidden").write_bytes(b"x")
    assert list(read_contents(folder).files) == ["__init__.py"]


def test_a_folder_without_init_is_refused(tmp_path):
    with pytest.raises(PluginError, match=r"__init__\.py"):
        read_contents(tmp_path)


def test_a_link_in_a_folder_is_refused(folder, tmp_path):
    (folder / "link.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(PluginError, match="link"):
        read_contents(folder)


@pytest.mark.parametrize(("limit", "value"), [("MAX_BYTES", 5), ("MAX_FILES", 1)])
def test_a_folder_above_the_limits_is_refused(folder, monkeypatch, limit, value):
    (folder / "more.py").write_text("")
    assert len(read_contents(folder).files) == 2
    monkeypatch.setattr(plugin_contents, limit, value)
    with pytest.raises(PluginError, match="too large"):
        read_contents(folder)


def test_line_ends_and_the_name_of_a_single_file_are_no_difference(tmp_path):
    (tmp_path / "one.py").write_bytes(b"x = 1\ny = 2\n")
    (tmp_path / "other.py").write_bytes(b"x = 1\r\ny = 2\r\n")
    one, other = read_contents(tmp_path / "one.py"), read_contents(tmp_path / "other.py")
    assert other.difference(one) == ""
    assert one.digest == other.digest


def test_the_first_different_line_is_described(tmp_path):
    (tmp_path / "one.py").write_bytes(b"x = 1\ny = 2\n")
    (tmp_path / "other.py").write_bytes(b"x = 1\ny = 3\n")
    one, other = read_contents(tmp_path / "one.py"), read_contents(tmp_path / "other.py")
    assert other.digest != one.digest
    assert other.difference(one) == "'other.py', line 2: 'y = 3' instead of 'y = 2'"


def test_missing_and_new_files_are_differences(folder):
    before = read_contents(folder)
    (folder / "new.py").write_text("")
    after = read_contents(folder)
    assert "'new.py' is new" in after.difference(before)
    assert "missing" in before.difference(after)
