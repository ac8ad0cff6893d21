"""Checkpoints are written atomically, and read without running code."""

from __future__ import annotations

import os
import pickle
import resource
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nmt_lstm.errors import DivergenceError, ModelFolderError, ResourceError
from nmt_lstm.training.checkpointing import (
    AtomicCheckpointIO,
    TrainingCheckpoint,
    read_checkpoint,
    write_atomically,
)


def test_a_saved_checkpoint_is_loaded_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"weights": torch.arange(3.0), "step": 7}, path)
    loaded = AtomicCheckpointIO().load_checkpoint(path)
    assert loaded["step"] == 7
    assert torch.equal(loaded["weights"], torch.arange(3.0))
    assert [file.name for file in path.parent.iterdir()] == ["last.ckpt"]


@pytest.fixture
def full_disk() -> object:
    """Limit files to 100 kB: writers get an OSError, as from a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("kind", ["checkpoint", "bytes"])
def test_the_previous_file_survives_a_full_disk(tmp_path: Path, full_disk: object, kind: str) -> None:
    def save(size: int) -> None:
        if kind == "checkpoint":
            AtomicCheckpointIO().save_checkpoint({"weights": torch.ones(size)}, tmp_path / "file")
        else:
            write_atomically(tmp_path / "file", lambda path: path.write_bytes(bytes(4 * size)))

    save(10)
    before = (tmp_path / "file").read_bytes()
    with pytest.raises(ResourceError, match=r"cannot write '.*file' \(.*intact"):
        save(100_000)
    assert (tmp_path / "file").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_pickle_with_code_is_rejected(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(tmp_path / "harm"),))

    (tmp_path / "last.ckpt").write_bytes(pickle.dumps(Malicious(), protocol=2))
    with pytest.raises(ModelFolderError, match="last.ckpt' cannot be read"):
        read_checkpoint(tmp_path / "last.ckpt")
    assert not (tmp_path / "harm").exists()


def test_a_missing_checkpoint_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="does not exist") as caught:
        read_checkpoint(tmp_path / "none.ckpt")
    assert caught.value.path == tmp_path / "none.ckpt"


def test_a_checkpoint_that_is_cut_off_is_called_incomplete(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"step": 7}, path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelFolderError, match="incomplete") as caught:
        read_checkpoint(path)
    assert caught.value.path == path


def test_every_flipped_bit_of_a_checkpoint_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"weights": torch.arange(50.0), "step": 7}, path)
    content = path.read_bytes()
    assert zipfile.is_zipfile(path)
    for bit in range(3, 8 * content.rindex(b"sha256:"), 997):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(ModelFolderError, match="last.ckpt' was changed"):
            read_checkpoint(path)


def test_a_checkpoint_of_an_earlier_version_is_read_without_a_checksum(tmp_path: Path) -> None:
    torch.save({"step": 7}, tmp_path / "last.ckpt")
    assert read_checkpoint(tmp_path / "last.ckpt") == {"step": 7}


def test_any_damage_to_a_checkpoint_without_a_checksum_is_a_model_folder_error(tmp_path: Path) -> None:
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


class SteppingRun:
    """A trainer and a module whose checkpoint contains the number of the step."""

    def __init__(self, checkpoint: TrainingCheckpoint) -> None:
        self.checkpoint = checkpoint
        self.weights = {"weight": torch.ones(2)}
        self.module: Any = SimpleNamespace(
            check_gradients=lambda: None,
            learning_rate=0.1,
            model=SimpleNamespace(state_dict=lambda: self.weights),
        )

    def save(self, step: int, *, validated: bool) -> None:
        trainer: Any = SimpleNamespace(
            global_step=step,
            is_global_zero=True,
            optimizers=[],
            save_checkpoint=lambda path: AtomicCheckpointIO().save_checkpoint({"step": step}, path),
        )
        self.checkpoint.save(trainer, self.module, validated=validated)

    def saved_step(self) -> int:
        return read_checkpoint(self.checkpoint.path)["step"]


@pytest.fixture
def run(tmp_path: Path) -> SteppingRun:
    return SteppingRun(TrainingCheckpoint(tmp_path / "last.ckpt"))


def test_a_checkpoint_whose_weights_fail_in_the_next_step_is_rolled_back(run: SteppingRun) -> None:
    run.save(1, validated=True)
    run.save(2, validated=False)
    run.checkpoint.roll_back(2)
    assert run.saved_step() == 1
    assert [file.name for file in run.checkpoint.path.parent.iterdir()] == ["last.ckpt"]


def test_a_later_failure_does_not_roll_back(run: SteppingRun) -> None:
    run.save(1, validated=True)
    run.save(2, validated=False)
    run.checkpoint.roll_back(3)
    assert run.saved_step() == 2


def test_a_validated_checkpoint_is_not_rolled_back(run: SteppingRun) -> None:
    run.save(1, validated=False)
    run.save(2, validated=False)
    run.save(3, validated=True)
    run.checkpoint.roll_back(3)
    assert run.saved_step() == 3


def test_the_checkpoint_before_the_newest_is_kept(run: SteppingRun) -> None:
    previous = run.checkpoint.path.with_name("before-last.ckpt")
    for step, before in ((1, None), (2, 1), (2, 1), (3, 2)):
        run.save(step, validated=True)
        assert run.saved_step() == step
        assert (read_checkpoint(previous)["step"] if previous.exists() else None) == before


def test_a_damaged_checkpoint_does_not_take_the_place_of_the_sound_one_before_it(run: SteppingRun) -> None:
    run.save(1, validated=True)
    run.save(2, validated=True)
    run.checkpoint.path.write_bytes(b"damaged")
    resumed = SteppingRun(TrainingCheckpoint(run.checkpoint.path, saved_step=-1))
    resumed.save(2, validated=True)
    assert resumed.saved_step() == 2
    assert read_checkpoint(run.checkpoint.path.with_name("before-last.ckpt"))["step"] == 1


def test_weights_that_are_not_finite_are_not_saved(run: SteppingRun) -> None:
    run.save(1, validated=True)
    run.weights = {"weight": torch.tensor([1.0, float("nan")])}
    with pytest.raises(DivergenceError) as caught:
        run.save(2, validated=True)
    assert (caught.value.step, caught.value.what) == (2, "a weight")
    assert run.saved_step() == 1
