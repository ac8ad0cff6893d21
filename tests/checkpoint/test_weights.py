"""Weights are loaded as they were saved, and other files are refused."""

from __future__ import annotations

import pickle

import pytest
import torch

from nmt_lstm.checkpoint.weights import load_weights, save_weights
from nmt_lstm.errors import ModelFolderError

CPU = torch.device("cpu")


def test_saved_weights_are_loaded(tmp_path) -> None:
    state = {
        "w": torch.randn(3, 4), "transposed": torch.randn(4, 3).T, "counter": torch.tensor(7), "empty": torch.empty(0)
    }  # fmt: skip
    save_weights(tmp_path / "weights", state)
    loaded = load_weights(tmp_path / "weights", CPU)
    assert set(loaded) == set(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_tied_weights_are_stored_once(tmp_path) -> None:
    shared = torch.randn(1_000, 10)
    save_weights(tmp_path / "tied", {"a": shared, "b": shared, "c": shared.clone()})
    save_weights(tmp_path / "one", {"a": shared})
    loaded = load_weights(tmp_path / "tied", CPU)
    assert all(torch.equal(loaded[name], shared) for name in "abc")
    assert (tmp_path / "tied").stat().st_size < (tmp_path / "one").stat().st_size + 500


@pytest.mark.parametrize("content", [b"", b"rubbish" * 100, pickle.dumps({"w": 1})])
def test_other_files_are_refused(tmp_path, content) -> None:
    (tmp_path / "weights").write_bytes(content)
    with pytest.raises(ModelFolderError, match="contains no readable weights"):
        load_weights(tmp_path / "weights", CPU)


def test_a_file_of_weights_has_the_permissions_of_other_files(tmp_path) -> None:
    (tmp_path / "other").touch()
    save_weights(tmp_path / "weights", {"w": torch.ones(2)})
    assert (tmp_path / "weights").stat().st_mode == (tmp_path / "other").stat().st_mode
