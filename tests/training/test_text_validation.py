"""Training a language model: the same loss in validation and scores, exact resuming, pieces of a translator."""

from __future__ import annotations

import json

import pytest
import torch

from nmt_lstm.checkpoint.manifest import Manifest
from nmt_lstm.checkpoint.model_folder import ModelFolder
from nmt_lstm.checkpoint.weights import load_weights
from nmt_lstm.config.load import make_run
from nmt_lstm.inference.text_model import LanguageModel
from nmt_lstm.training.fit import fit
from nmt_lstm.training.fit_result import FitResult


@pytest.fixture
def make_text_run(parallel_files, tmp_path):
    """Return a function that makes the run of a tiny language model; its arguments are --set overrides."""

    def make(*overrides, **data):
        values = {
            "task": "language-model",
            "data": {
                "train_source": str(parallel_files.train_target),
                "valid_source": str(parallel_files.valid_target),
                "prepared": str(tmp_path / "prepared"),
                **data,
            },
            "subwords": {"vocabulary_size": 80},
            "model": {"embedding_size": 16, "decoder": {"hidden_size": 16}},
            "training": {
                "epochs": 2,
                "batch_pieces": 500,
                "precision": "float32",
                "accelerator": "cpu",
                "loggers": ["csv"],
                "ema": 0.9,
                "optimizer": {"learning_rate": 0.01},
                "schedule": {"name": "constant", "warmup_steps": 3},
            },
        }
        return make_run(values, list(overrides))

    return make


def weights(folder):
    return load_weights(folder / "model.safetensors", torch.device("cpu"))


def test_the_model_is_validated_by_its_loss_and_scores_the_same(
    make_text_run, tmp_path, parallel_files, capsys
):
    result = fit(make_text_run(), tmp_path / "run")
    assert isinstance(result, FitResult)
    assert set(result.metrics) == {"loss", "perplexity"}
    assert result.signatures == {}
    assert Manifest.read(tmp_path / "run").task == "language-model"
    validation = json.loads((tmp_path / "run" / "metrics.json").read_text())["validation"]
    model = LanguageModel.load(tmp_path / "run", device="cpu")
    likelihood = model.likelihood(parallel_files.valid_target.read_text().splitlines())
    assert likelihood.piece_perplexity == pytest.approx(validation["perplexity"], rel=1e-4)
    assert likelihood.lines == validation["sentences"] == 40
    assert "generate" in capsys.readouterr().err


def test_a_resumed_run_has_the_same_weights(make_text_run, tmp_path):
    fit(make_text_run("training.max_steps=12"), tmp_path / "whole")
    fit(make_text_run("training.max_steps=5"), tmp_path / "parts")
    fit(make_text_run("training.max_steps=12"), tmp_path / "parts", resume=True)
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    for name, weight in whole.items():
        assert torch.equal(weight, parts[name])


def test_lines_are_held_out_and_pieces_can_be_those_of_a_translator(
    make_text_run, tmp_path, random_model_folder
):
    run = make_text_run(f"subwords.model={random_model_folder}", "training.max_steps=2", valid_source=None)
    fit(run, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run" / "held-out").iterdir()] == ["valid.tgt"]
    translator, text = ModelFolder.read(random_model_folder), ModelFolder.read(tmp_path / "run")
    assert text.subwords.target.fingerprint == translator.subwords.target.fingerprint
