"""Folders of an experiment, new folders, and those of others."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.experiment.folder import check_folder


def test_a_folder_is_known_by_its_mark(tmp_path) -> None:
    (tmp_path / "mark").touch()
    (tmp_path / "thesis.tex").touch()
    assert check_folder(tmp_path, "mark", "is not ours")


def test_new_and_empty_folders_are_taken(tmp_path) -> None:
    assert not check_folder(tmp_path, "mark", "is not ours")
    assert not check_folder(tmp_path / "new", "mark", "is not ours")
    (tmp_path / "prepared").mkdir()
    assert not check_folder(tmp_path, "mark", "is not ours", allowed=("prepared",))


def test_what_belongs_to_others_is_refused(tmp_path) -> None:
    for number in range(4):
        (tmp_path / f"thesis{number}.tex").touch()
    with pytest.raises(
        ConfigurationError, match=r"is not ours \(thesis0.tex, thesis1.tex, thesis2.tex \.\.\.\)"
    ):
        check_folder(tmp_path, "mark", "is not ours")
    with pytest.raises(ConfigurationError, match="is a file"):
        check_folder(tmp_path / "thesis0.tex", "mark", "is not ours")
