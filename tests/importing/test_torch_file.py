"""Checkpoints are read without running code, and damaged ones are refused."""

from __future__ import annotations

import argparse
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from nmt_lstm.importing.errors import DamagedSourceError, UnsafeFileError
from nmt_lstm.importing.torch_file import read_torch_file


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_plain_values_are_read(tmp_path) -> None:
    path = tmp_path / "model.pt"
    content = {
        "opt": argparse.Namespace(size=4),
        "weight": torch.ones(2),
        "score": np.float64(0.5),
        "names": ["a"],
    }
    torch.save(content, path)
    read = read_torch_file(path)
    assert (read["opt"].size, read["score"], read["names"]) == (4, 0.5, ["a"])
    assert torch.equal(read["weight"], torch.ones(2))


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_file_that_could_run_code_is_refused_by_name_and_runs_nothing(tmp_path, as_zip) -> None:
    path, trace = tmp_path / "model.pt", tmp_path / "trace"
    torch.save({"model": Malicious(trace)}, path, _use_new_zipfile_serialization=as_zip)
    with pytest.raises((UnsafeFileError, DamagedSourceError)) as caught:
        read_torch_file(path)
    assert caught.value.path == path
    if as_zip:
        assert isinstance(caught.value, UnsafeFileError)
        assert "mkdir" in "".join(caught.value.known)
    assert not trace.exists()


def test_a_plain_pickle_is_refused(tmp_path) -> None:
    path, trace = tmp_path / "model.pt", tmp_path / "trace"
    path.write_bytes(pickle.dumps({"model": Malicious(trace)}))
    with pytest.raises((UnsafeFileError, DamagedSourceError)):
        read_torch_file(path)
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 truncated"])
def test_damaged_files_are_refused(tmp_path, content) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(DamagedSourceError) as caught:
        read_torch_file(path)
    assert caught.value.path == path


def test_a_truncated_checkpoint_is_refused(tmp_path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"weight": torch.ones(100)}, path)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DamagedSourceError):
        read_torch_file(path)


def test_missing_files_folders_and_other_values_are_refused(tmp_path) -> None:
    with pytest.raises(DamagedSourceError, match="No such file"):
        read_torch_file(tmp_path / "missing.pt")
    with pytest.raises(DamagedSourceError, match="directory"):
        read_torch_file(tmp_path)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(DamagedSourceError, match="list"):
        read_torch_file(tmp_path / "list.pt")


@pytest.mark.parametrize(("content", "word"), [("cut", "incomplete"), ("other", "different kind")])
def test_the_message_about_a_damaged_file_is_not_that_of_a_library(tmp_path, content, word) -> None:
    file = tmp_path / "model.pt"
    torch.save({"a": 1}, file)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2] if content == "cut" else b"hello" * 30)
    with pytest.raises(DamagedSourceError, match=word) as refused:
        read_torch_file(file)
    assert "miniz" not in str(refused.value)
