"""A module trained by a Trainer of one's own becomes a model folder like any other."""

from __future__ import annotations

import json

import pytest
import torch

from nmt_lstm import TranslationModule, Translator, build_model, save_model
from nmt_lstm.errors import ConfigurationError


@pytest.fixture
def module(tiny_run, subwords):
    torch.manual_seed(3)
    settings = tiny_run.training.model_copy(update={"ema": 0.9})
    model = build_model(tiny_run.model, subwords.source.size, subwords.target.size)
    return TranslationModule(
        model=model, settings=settings, search=tiny_run.search, subwords=subwords, references=[]
    )


def test_the_average_is_saved_and_the_module_is_left_as_it_was(module, tiny_run, tmp_path) -> None:
    average = {name: values.clone() for name, values in module.model.state_dict().items()}
    with torch.no_grad():
        for parameter in module.model.parameters():
            parameter.add_(1.0)
    save_model(tmp_path / "model", module, tiny_run)
    loaded = Translator.load(tmp_path / "model", device="cpu")
    assert len(loaded.translate(["eins zwei ."])) == 1
    assert json.loads((tmp_path / "model" / "metrics.json").read_text()) == {}
    from nmt_lstm.checkpoint.model_folder import read

    saved = read(tmp_path / "model").load_model().state_dict()
    assert saved.keys() == average.keys()
    for name, values in module.model.state_dict().items():
        assert torch.equal(saved[name], average[name])
        assert torch.allclose(values, average[name] + 1.0)


def test_another_runs_settings_are_refused_before_anything_is_written(module, tiny_run, tmp_path) -> None:
    encoder = tiny_run.model.encoder.model_copy(update={"hidden_size": 24})
    other = tiny_run.model_copy(update={"model": tiny_run.model.model_copy(update={"encoder": encoder})})
    with pytest.raises(ConfigurationError, match="run.model"):
        save_model(tmp_path / "model", module, other)
    assert not (tmp_path / "model").exists()
