"""Which weights are saved, and that no training checkpoint ever lists a file that was deleted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nmt_lstm.training.best_checkpoints import BestCheckpoints


def best_checkpoints(folder: Path, metric: str = "bleu", best: int = 2, latest: int = 0) -> BestCheckpoints:
    return BestCheckpoints(folder, metric=metric, best=best, latest=latest)


def save(checkpoints: BestCheckpoints, step: int, value: float) -> None:
    metrics = {"loss": 1.0, "bleu": 1.0, "chrf": 1.0, checkpoints.metric: value}
    if checkpoints.qualifies(metrics):
        checkpoints.save(step, metrics, {"weight": torch.full((2, 2), float(step))})


@pytest.mark.parametrize(("metric", "best"), [("bleu", [3, 1]), ("loss", [2, 1])])
def test_the_best_are_kept(tmp_path: Path, metric: str, best: list[int]) -> None:
    checkpoints = best_checkpoints(tmp_path, metric)
    for step, value in ((1, 5.0), (2, 4.0), (3, 6.0)):
        save(checkpoints, step, value)
    checkpoints.delete_unlisted()
    assert [checkpoint.step for checkpoint in checkpoints.best()] == best
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        f"step-{step}.safetensors" for step in best
    )


def test_the_older_of_equal_checkpoints_is_better(tmp_path: Path) -> None:
    checkpoints = best_checkpoints(tmp_path, best=1)
    save(checkpoints, 1, 5.0)
    save(checkpoints, 2, 5.0)
    assert [checkpoint.step for checkpoint in checkpoints.best()] == [1]


def test_the_latest_are_kept_besides_the_best(tmp_path: Path) -> None:
    checkpoints = best_checkpoints(tmp_path, best=1, latest=2)
    for step, value in ((1, 9.0), (2, 4.0), (3, 3.0), (4, 2.0)):
        save(checkpoints, step, value)
    assert [checkpoint.step for checkpoint in checkpoints.latest()] == [4, 3]
    assert sorted(checkpoint.step for checkpoint in checkpoints.checkpoints) == [1, 3, 4]


def test_files_exist_until_a_training_checkpoint_without_them_was_saved(tmp_path: Path) -> None:
    checkpoints = best_checkpoints(tmp_path, best=1)
    save(checkpoints, 1, 1.0)
    saved_state = checkpoints.state_dict()
    save(checkpoints, 2, 2.0)
    resumed = best_checkpoints(tmp_path, best=1)
    resumed.load_state_dict(saved_state)
    (checkpoint,) = resumed.checkpoints
    assert resumed.path(checkpoint).exists()
    checkpoints.delete_unlisted()
    assert not resumed.path(checkpoint).exists()


def test_a_step_that_is_validated_twice_is_listed_once(tmp_path: Path) -> None:
    checkpoints = best_checkpoints(tmp_path)
    save(checkpoints, 1, 1.0)
    save(checkpoints, 1, 1.5)
    assert [checkpoint.metrics["bleu"] for checkpoint in checkpoints.checkpoints] == [1.5]


def test_changed_or_missing_weights_are_described(tmp_path: Path) -> None:
    checkpoints = best_checkpoints(tmp_path)
    save(checkpoints, 1, 1.0)
    resumed = best_checkpoints(tmp_path)
    resumed.load_state_dict(checkpoints.state_dict())
    (checkpoint,) = resumed.checkpoints
    assert resumed.damage(checkpoint) == ""
    path = resumed.path(checkpoint)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "was changed" in resumed.damage(checkpoint)
    path.unlink()
    assert "cannot be read" in resumed.damage(checkpoint)


def test_checkpoints_of_an_earlier_version_have_no_checksum(tmp_path: Path) -> None:
    checkpoints = best_checkpoints(tmp_path)
    save(checkpoints, 1, 1.0)
    state = [{name: each[name] for name in ("step", "file", "metrics")} for each in checkpoints.state_dict()]
    checkpoints.load_state_dict(state)
    checkpoints.path(checkpoints.checkpoints[0]).write_bytes(b"other weights")
    assert checkpoints.damage(checkpoints.checkpoints[0]) == ""
