"""Checkpoints are written whole or not at all, and read without running anything."""

from __future__ import annotations

import os
import pickle
import resource
import zipfile
from pathlib import Path

import pytest
import torch

from nmt_lstm.errors import ModelFolderError, ResourceError
from nmt_lstm.training.checkpoint_files import AtomicCheckpointIO, read_checkpoint, save_weights_whole


def test_checkpoints_come_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"weights": torch.arange(3.0), "step": 7}, path)
    found = AtomicCheckpointIO().load_checkpoint(path)
    assert found["step"] == 7
    assert torch.equal(found["weights"], torch.arange(3.0))
    assert [file.name for file in path.parent.iterdir()] == ["last.ckpt"]


@pytest.fixture
def small_files() -> object:
    """Let no file grow above 100 kB, which writers see as they see a full disk: as an OSError."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kind", ["checkpoint", "weights"])
def test_what_was_saved_before_survives_a_full_disk(tmp_path: Path, small_files: object, kind: str) -> None:
    def save(size: int) -> None:
        if kind == "checkpoint":
            AtomicCheckpointIO().save_checkpoint({"weights": torch.ones(size)}, tmp_path / "file")
        else:
            save_weights_whole(tmp_path / "file", {"weights": torch.ones(size)})

    save(10)
    before = (tmp_path / "file").read_bytes()
    with pytest.raises(ResourceError, match=r"cannot write '.*file' \(.*\); what was saved before is whole"):
        save(100_000)
    assert (tmp_path / "file").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_pickle_of_code_is_refused(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(tmp_path / "harm"),))

    (tmp_path / "last.ckpt").write_bytes(pickle.dumps(Harmful(), protocol=2))
    with pytest.raises(ModelFolderError, match=r"checkpoint '.*last.ckpt' cannot be read"):
        read_checkpoint(tmp_path / "last.ckpt")
    assert not (tmp_path / "harm").exists()


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ModelFolderError, match=r"there is no checkpoint '.*none.ckpt'; train without --resume"
    ):
        read_checkpoint(tmp_path / "none.ckpt")


def test_every_flipped_bit_of_a_checkpoint_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"weights": torch.arange(50.0), "step": 7}, path)
    content = path.read_bytes()
    assert zipfile.is_zipfile(path)
    for bit in range(3, 8 * content.rindex(b"sha256:"), 997):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(ModelFolderError, match=r"last.ckpt' was changed: its SHA-256"):
            read_checkpoint(path)


def test_a_checkpoint_of_an_earlier_version_has_no_checksum_and_is_read(tmp_path: Path) -> None:
    torch.save({"step": 7}, tmp_path / "last.ckpt")
    assert read_checkpoint(tmp_path / "last.ckpt") == {"step": 7}


def test_whatever_is_wrong_with_a_checkpoint_without_a_checksum_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"weights": torch.arange(50.0), "step": 7}, path)
    content = path.read_bytes()
    refused = 0
    for bit in range(0, 8 * len(content), 211):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            read_checkpoint(path)
        except ModelFolderError:
            refused += 1
    assert refused > 0
