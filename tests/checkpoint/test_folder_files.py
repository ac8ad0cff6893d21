"""Output folders may be new, empty, or contain the files of a training run."""

from __future__ import annotations

import pytest

from nmt_lstm.checkpoint.folder_files import check_output_folder
from nmt_lstm.errors import ModelFolderError


def test_output_folders_with_files_of_other_programs_are_refused(tmp_path, folder) -> None:
    check_output_folder(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    check_output_folder(tmp_path / "empty")
    check_output_folder(folder)
    started = tmp_path / "started"
    (started / "checkpoints").mkdir(parents=True)
    (started / "logs").mkdir()
    check_output_folder(started)

    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFolderError, match="file' is a file"):
        check_output_folder(tmp_path / "file")
    (tmp_path / "empty/thesis.tex").write_text("")
    with pytest.raises(ModelFolderError, match=r"\(thesis.tex\)"):
        check_output_folder(tmp_path / "empty")
    (started / "manifest.json").write_text('{"name": "web app"}')
    with pytest.raises(ModelFolderError, match="written by another program"):
        check_output_folder(started)
