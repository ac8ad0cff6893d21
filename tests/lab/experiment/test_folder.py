"""Folders of experiments, new folders, and folders of other programs."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.experiment.folder import check_folder


def test_a_folder_is_identified_by_its_marker(tmp_path) -> None:
    (tmp_path / "marker").touch()
    (tmp_path / "thesis.tex").touch()
    assert check_folder(tmp_path, "marker", "is not a comparison")


def test_new_and_empty_folders_are_accepted(tmp_path) -> None:
    assert not check_folder(tmp_path, "marker", "is not a comparison")
    assert not check_folder(tmp_path / "new", "marker", "is not a comparison")
    (tmp_path / "prepared").mkdir()
    assert not check_folder(tmp_path, "marker", "is not a comparison", allowed=("prepared",))


def test_folders_of_other_programs_are_rejected(tmp_path) -> None:
    for number in range(4):
        (tmp_path / f"thesis{number}.tex").touch()
    with pytest.raises(ConfigurationError, match=r"\(thesis0.tex, thesis1.tex, thesis2.tex \.\.\."):
        check_folder(tmp_path, "marker", "is not a comparison")
    with pytest.raises(ConfigurationError, match="is a file") as caught:
        check_folder(tmp_path / "thesis0.tex", "marker", "is not a comparison")
    assert caught.value.path == tmp_path / "thesis0.tex"
