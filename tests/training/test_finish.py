"""The weights that become the model: none that any process finds changed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.training import finish
from nmt_lstm.training.finish import choose
from nmt_lstm.training.kept_weights import KeptWeights

METRICS = {"loss": 1.0, "bleu": 1.0, "chrf": 1.0}


@pytest.fixture
def kept(tmp_path: Path) -> KeptWeights:
    weights = KeptWeights(tmp_path, metric="bleu", best=1, last=0)
    weights.add(1, METRICS, {"weight": torch.ones(2, 2)})
    return weights


def chosen_of(kept: KeptWeights) -> Any:
    """What is chosen among kept weights by a module of one layer, whose validations all come to the same."""
    device = torch.device("cpu")
    validator = SimpleNamespace(
        step=1, weights=kept, translate=lambda *_: cast("Any", SimpleNamespace(metrics=METRICS))
    )
    control = SimpleNamespace(
        validator=validator,
        signals=SimpleNamespace(received=0),
        has_time_to_validate=lambda _: True,
    )
    model = torch.nn.Linear(2, 2, bias=False)
    assembly = SimpleNamespace(
        module=SimpleNamespace(model=model, to=lambda _: None),
        control=control,
        settings=TrainingSettings(average="none"),
        beam_size=1,
    )
    strategy = SimpleNamespace(root_device=device, barrier=lambda _: None)
    trainer = SimpleNamespace(strategy=strategy, global_step=1)
    return choose(cast("Any", trainer), cast("Any", assembly))


def test_the_best_weights_are_loaded(kept: KeptWeights) -> None:
    chosen = chosen_of(kept)
    assert chosen.steps == [1]
    assert torch.equal(chosen.state["weight"], torch.ones(2, 2))


def test_a_process_that_finds_weights_changed_tells_the_others(
    kept: KeptWeights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []

    def all_reduce_max(values: list[float], device: torch.device) -> list[float]:
        told.extend(values)
        return values

    monkeypatch.setattr(finish, "all_reduce_max", all_reduce_max)
    (tmp_path / "step-1.safetensors").write_bytes(b"something else")
    with pytest.raises(ModelFolderError, match="step-1.safetensors"):
        chosen_of(kept)
    assert told == [1.0]


def test_a_process_without_checksums_waits_for_the_verdict_of_the_others(
    kept: KeptWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "all_reduce_max", lambda values, device: [1.0])
    with pytest.raises(ModelFolderError, match="process"):
        chosen_of(kept)
