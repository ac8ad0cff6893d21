"""Models are loaded on a device and in a precision that exist, and form an ensemble only if their vocabularies agree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from nmt_lstm.checkpoint.model_folder import write
from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import ConfigurationError, ModelFolderError, ResourceError
from nmt_lstm.inference.loading import LoadedModels, load_models, output_bias, without_shortlist
from nmt_lstm.inference.shortlist import Shortlist
from nmt_lstm.model.build import build_model
from nmt_lstm.numerics import precision
from nmt_lstm.text.subwords import train_subwords


def load(*folders: Path, device: str = "auto", precision: str = "auto") -> LoadedModels:
    return load_models(folders, device, precision)


def test_models_with_different_vocabularies_cannot_form_an_ensemble(
    random_model_folder, tmp_path, tiny_run
) -> None:
    pairs = [("ganz andere Wörter", "quite different words")] * 20
    subwords = train_subwords(lambda: pairs, SubwordSettings(vocabulary_size=290), len(pairs), seed=1)
    model = build_model(tiny_run.model, subwords.source.size, subwords.target.size)
    write(tmp_path / "b", run=tiny_run, subwords=subwords, model_state=model.state_dict(), metrics={})
    with pytest.raises(ConfigurationError, match="different source vocabularies"):
        load(random_model_folder, tmp_path / "b", device="cpu")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"device": "gpu"}, ConfigurationError, "unknown device 'gpu'"),
        ({"device": "cuda:99"}, ResourceError, "cuda:99"),
        ({"precision": "bf61"}, ConfigurationError, "'bf61'.*'bf16'"),
    ],
)
def test_an_unknown_device_or_precision_is_an_error(random_model_folder, arguments, error, message) -> None:
    with pytest.raises(error, match=message):
        load(random_model_folder, **arguments)


def test_a_missing_folder_is_an_error(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="no model folder"):
        load()
    with pytest.raises(ModelFolderError, match="does not exist"):
        load(tmp_path / "nowhere")


@pytest.mark.needs_bf16
def test_models_are_loaded_in_reduced_precision(random_model_folder) -> None:
    assert load(random_model_folder, device="cpu", precision="bf16").precision == "bf16"


def test_bf16_on_a_processor_without_it_is_an_error(random_model_folder, monkeypatch) -> None:
    monkeypatch.setattr(precision, "bf16_works", lambda: False)
    with pytest.raises(ResourceError, match="bf16"):
        load(random_model_folder, device="cpu", precision="bf16")


def test_a_moved_folder_can_be_loaded(random_model_folder, tmp_path) -> None:
    moved = shutil.copytree(random_model_folder, tmp_path / "elsewhere")
    one, other = (
        load(folder, device="cpu").models[0].state_dict() for folder in (random_model_folder, moved)
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(values, other[name]) for name, values in one.items())


def test_the_shortlist_of_a_model_can_be_removed(random_model_folder) -> None:
    (model,) = load(random_model_folder, device="cpu").models
    size = model.output.out_features
    listed = model.with_shortlist(Shortlist(torch.zeros(size, 1, dtype=torch.int32), torch.arange(4), size))
    assert without_shortlist(model) is model
    assert without_shortlist(listed).shortlist is None
    assert torch.equal(output_bias(listed), output_bias(model))
