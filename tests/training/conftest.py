"""A run so small that it trains in a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import RunSettings

MakeRun = Callable[..., RunSettings]


@pytest.fixture(scope="session")
def make_small_run(parallel_files: Any, tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Return a function that makes a run of about 7 steps per epoch; its arguments are --set overrides."""
    prepared = tmp_path_factory.mktemp("prepared")

    def make(*overrides: str) -> RunSettings:
        values = {
            "data": {
                "train_source": str(parallel_files.train_source),
                "train_target": str(parallel_files.train_target),
                "valid_source": str(parallel_files.valid_source),
                "valid_target": str(parallel_files.valid_target),
                "prepared": str(prepared),
            },
            "subwords": {"vocabulary_size": 100},
            "model": {
                "embedding_size": 16,
                "dropout": 0.1,
                "encoder": {"hidden_size": 16},
                "decoder": {"hidden_size": 16},
            },
            "training": {
                "epochs": 2,
                "batch_pieces": 1500,
                "precision": "float32",
                "accelerator": "cpu",
                "tensorboard": False,
                "optimizer": {"learning_rate": 0.01},
                "schedule": {"warmup_steps": 3},
            },
            "search": {"beam_size": 2},
        }
        return make_run(values, list(overrides))

    return make


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A folder for a run."""
    return tmp_path / "run"
