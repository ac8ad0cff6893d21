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
from nmt_lstm.training.finish import choose_final
from nmt_lstm.training.kept_weights import KeptWeights

METRICS = {"loss": 1.0, "bleu": 1.0, "chrf": 1.0}


@pytest.fixture
def kept(tmp_path: Path) -> KeptWeights:
    weights = KeptWeights(tmp_path, metric="bleu", best=1, last=0)
    weights.add(1, METRICS, {"weight": torch.ones(2, 2)})
    return weights


def choose(kept: KeptWeights) -> Any:
    """Choose among kept weights by a module of one layer, whose validations all come to the same."""
    module = SimpleNamespace(
        settings=TrainingSettings(average="none"),
        device=torch.device("cpu"),
        model=torch.nn.Linear(2, 2, bias=False),
    )
    return choose_final(
        cast("Any", module),
        kept,
        beam_size=1,
        validate=lambda *_: cast("Any", SimpleNamespace(metrics=METRICS)),
        has_time=lambda: True,
    )


def test_the_best_weights_are_loaded(kept: KeptWeights) -> None:
    chosen = choose(kept)
    assert chosen.steps == [1]
    assert torch.equal(chosen.state["weight"], torch.ones(2, 2))


def test_a_process_that_finds_weights_changed_tells_the_others(
    kept: KeptWeights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []

    def agreed(values: list[float], device: torch.device) -> list[float]:
        told.extend(values)
        return values

    monkeypatch.setattr(finish, "agreed", agreed)
    (tmp_path / "step-1.safetensors").write_bytes(b"something else")
    with pytest.raises(ModelFolderError, match="step-1.safetensors"):
        choose(kept)
    assert told == [1.0]


def test_a_process_without_checksums_waits_for_the_verdict_of_the_others(
    kept: KeptWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "agreed", lambda values, device: [1.0])
    with pytest.raises(ModelFolderError, match="process"):
        choose(kept)
