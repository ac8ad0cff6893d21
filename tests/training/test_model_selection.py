"""The weights that become the model: never files that any process finds changed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.training import model_selection
from nmt_lstm.training.best_checkpoints import BestCheckpoints
from nmt_lstm.training.model_selection import select_weights

METRICS = {"loss": 1.0, "bleu": 1.0, "chrf": 1.0}


@pytest.fixture
def checkpoints(tmp_path: Path) -> BestCheckpoints:
    checkpoints = BestCheckpoints(tmp_path, metric="bleu", best=1, latest=0)
    checkpoints.save(1, METRICS, {"weight": torch.ones(2, 2)})
    return checkpoints


def select(checkpoints: BestCheckpoints) -> Any:
    """Select weights for a module of one layer, whose validations all have the same result."""
    device = torch.device("cpu")
    validator = SimpleNamespace(
        step=1, checkpoints=checkpoints, translate=lambda *_: cast("Any", SimpleNamespace(metrics=METRICS))
    )
    callback = SimpleNamespace(
        validator=validator,
        signals=SimpleNamespace(received=0),
        has_time_to_validate=lambda _: True,
    )
    model = torch.nn.Linear(2, 2, bias=False)
    assembly = SimpleNamespace(
        module=SimpleNamespace(model=model, to=lambda _: None),
        callback=callback,
        settings=TrainingSettings(average="none"),
        beam_size=1,
    )
    strategy = SimpleNamespace(root_device=device, barrier=lambda _: None)
    trainer = SimpleNamespace(strategy=strategy, global_step=1)
    return select_weights(cast("Any", trainer), cast("Any", assembly))


def test_the_best_weights_are_loaded(checkpoints: BestCheckpoints) -> None:
    selected = select(checkpoints)
    assert selected.steps == [1]
    assert torch.equal(selected.state["weight"], torch.ones(2, 2))


def test_a_process_that_finds_changed_weights_tells_the_others(
    checkpoints: BestCheckpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared: list[float] = []

    def all_reduce_max(values: list[float], device: torch.device) -> list[float]:
        shared.extend(values)
        return values

    monkeypatch.setattr(model_selection, "all_reduce_max", all_reduce_max)
    (tmp_path / "step-1.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelFolderError, match="step-1.safetensors"):
        select(checkpoints)
    assert shared == [1.0]


def test_all_processes_fail_if_one_finds_changed_weights(
    checkpoints: BestCheckpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_selection, "all_reduce_max", lambda values, device: [1.0])
    with pytest.raises(ModelFolderError, match="another process"):
        select(checkpoints)
