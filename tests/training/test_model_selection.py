"""The weights that become the model: never files that were changed, which are left out with a warning."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from nmt_lstm.checkpoint.folder_files import WEIGHTS
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.training import model_selection
from nmt_lstm.training.best_checkpoints import BestCheckpoints
from nmt_lstm.training.model_selection import select_weights

METRICS = {"loss": 1.0, "bleu": 1.0, "chrf": 1.0}


@pytest.fixture
def checkpoints(tmp_path: Path) -> BestCheckpoints:
    checkpoints = BestCheckpoints(tmp_path, metric="bleu", best=2, latest=0)
    checkpoints.save(1, METRICS, {"weight": torch.ones(2, 2)})
    checkpoints.save(2, METRICS, {"weight": torch.zeros(2, 2)})
    return checkpoints


def select(checkpoints: BestCheckpoints, said: list[str] | None = None) -> Any:
    """Select weights for a module of one layer, whose validations all have the same result."""
    device = torch.device("cpu")
    validator = SimpleNamespace(
        step=2, checkpoints=checkpoints, translate=lambda *_: cast("Any", SimpleNamespace(metrics=METRICS))
    )
    callback = SimpleNamespace(
        validator=validator,
        signals=SimpleNamespace(received=0),
        has_time_to_validate=lambda _: True,
    )
    model = torch.nn.Linear(2, 2, bias=False)
    assembly = SimpleNamespace(
        module=SimpleNamespace(model=model, to=lambda _: None, averaged=nullcontext),
        callback=callback,
        settings=TrainingSettings(average="none"),
        context=SimpleNamespace(
            output=checkpoints.folder, display=SimpleNamespace(say=[].append if said is None else said.append)
        ),
        beam_size=1,
    )
    strategy = SimpleNamespace(root_device=device, barrier=lambda _: None)
    trainer = SimpleNamespace(strategy=strategy, global_step=2)
    return select_weights(cast("Any", trainer), cast("Any", assembly))


def test_the_best_weights_are_loaded(checkpoints: BestCheckpoints) -> None:
    selected = select(checkpoints)
    assert selected.steps == [1]
    assert torch.equal(selected.state["weight"], torch.ones(2, 2))


def test_changed_weights_are_left_out_with_a_warning(checkpoints: BestCheckpoints, tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "step-1.safetensors").write_bytes(b"damaged")
    selected = select(checkpoints, said)
    assert selected.steps == [2]
    assert torch.equal(selected.state["weight"], torch.zeros(2, 2))
    (warning,) = said
    assert "warning: " in warning
    assert "step-1.safetensors' was changed" in warning


def test_changed_weights_are_restored_from_the_model_if_that_is_the_same(
    checkpoints: BestCheckpoints, tmp_path: Path
) -> None:
    said: list[str] = []
    (tmp_path / "step-1.safetensors").rename(tmp_path / WEIGHTS)
    selected = select(checkpoints, said)
    assert (selected.steps, said) == ([1], [])
    assert torch.equal(selected.state["weight"], torch.ones(2, 2))
    assert checkpoints.damage(checkpoints.checkpoints[0]) == ""


@pytest.mark.parametrize("is_intact", [True, False])
def test_if_all_weights_were_changed_the_model_stays_unless_it_is_damaged_too(
    checkpoints: BestCheckpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_intact: bool
) -> None:
    said: list[str] = []
    for step in (1, 2):
        (tmp_path / f"step-{step}.safetensors").unlink()
    if is_intact:
        monkeypatch.setattr(model_selection, "Manifest", SimpleNamespace(read=lambda _: None))
        monkeypatch.setattr(model_selection, "check_files", lambda *_: None)
    selected = select(checkpoints, said)
    assert selected is None if is_intact else selected.steps == [2]
    assert len(said) == 2
    assert all(("not replaced" if is_intact else "last weights") in warning for warning in said)


def test_all_processes_leave_out_what_the_first_one_finds_changed(
    checkpoints: BestCheckpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"step-1.safetensors": "'step-1.safetensors' was changed"}
    monkeypatch.setattr(model_selection, "gather_objects", lambda value: [(found, True), value])
    assert select(checkpoints).steps == [2]
