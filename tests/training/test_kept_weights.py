"""Which weights are kept, and that no checkpoint ever names a file that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nmt_lstm.errors import ModelFolderError
from nmt_lstm.training.kept_weights import KeptWeights, is_better


def keeper(folder: Path, metric: str = "bleu", best: int = 2, last: int = 0) -> KeptWeights:
    return KeptWeights(folder, metric=metric, best=best, last=last)


def add(kept: KeptWeights, step: int, value: float) -> None:
    metrics = {"loss": 1.0, "bleu": 1.0, "chrf": 1.0, kept.metric: value}
    if kept.would_keep(metrics):
        kept.add(step, metrics, {"weight": torch.full((2, 2), float(step))})


@pytest.mark.parametrize(("metric", "best"), [("bleu", [3, 1]), ("loss", [2, 1])])
def test_the_best_are_kept(tmp_path: Path, metric: str, best: list[int]) -> None:
    kept = keeper(tmp_path, metric)
    for step, value in ((1, 5.0), (2, 4.0), (3, 6.0)):
        add(kept, step, value)
    kept.forget()
    assert [record.step for record in kept.best()] == best
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        f"step-{step}.safetensors" for step in best
    )


def test_of_equals_the_older_is_better(tmp_path: Path) -> None:
    kept = keeper(tmp_path, best=1)
    add(kept, 1, 5.0)
    add(kept, 2, 5.0)
    assert [record.step for record in kept.best()] == [1]


def test_the_last_are_kept_besides_the_best(tmp_path: Path) -> None:
    kept = keeper(tmp_path, best=1, last=2)
    for step, value in ((1, 9.0), (2, 4.0), (3, 3.0), (4, 2.0)):
        add(kept, step, value)
    assert [record.step for record in kept.last()] == [4, 3]
    assert sorted(record.step for record in kept.records) == [1, 3, 4]


def test_files_stay_until_a_checkpoint_without_them_was_saved(tmp_path: Path) -> None:
    kept = keeper(tmp_path, best=1)
    add(kept, 1, 1.0)
    before = kept.state_dict()
    add(kept, 2, 2.0)
    resumed = keeper(tmp_path, best=1)
    resumed.load_state_dict(before)
    assert all(resumed.path(record).exists() for record in resumed.records)
    kept.forget()
    assert not resumed.path(resumed.records[0]).exists()


def test_a_step_validated_again_is_kept_once(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    add(kept, 1, 1.0)
    add(kept, 1, 1.5)
    assert [record.metrics["bleu"] for record in kept.records] == [1.5]


def test_lower_loss_and_higher_bleu_are_better() -> None:
    assert is_better("loss", 1.0, than=2.0)
    assert is_better("bleu", 2.0, than=1.0)
    assert not is_better("chrf", 1.0, than=1.0)


def test_changed_weights_are_named_before_they_become_a_model(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    add(kept, 1, 1.0)
    resumed = keeper(tmp_path)
    resumed.load_state_dict(kept.state_dict())
    (record,) = resumed.records
    resumed.check(record)
    path = resumed.path(record)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelFolderError, match=r"step-1.safetensors' was changed: its SHA-256"):
        resumed.check(record)
    path.unlink()
    with pytest.raises(ModelFolderError, match=r"step-1.safetensors' cannot be read"):
        resumed.check(record)


def test_records_of_an_earlier_version_have_no_checksum(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    add(kept, 1, 1.0)
    old = [{key: value for key, value in record.items() if key != "sha256"} for record in kept.state_dict()]
    kept.load_state_dict(old)
    kept.check(kept.records[0])
