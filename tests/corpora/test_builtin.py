"""The built-in corpus and model are found in the installed package or in the source tree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.manifest import Manifest
from nmt_lstm.config.load import load_run
from nmt_lstm.corpora import builtin
from nmt_lstm.corpora.builtin import BUILTIN_MODELS, builtin_corpus_folder, model_name, model_path
from nmt_lstm.errors import DataError, ModelFolderError, WrongTaskError
from nmt_lstm.evaluation.scores import corpus_scores
from nmt_lstm.inference.translator import Translator
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.text_file import read_lines


def test_the_corpus_has_all_its_files() -> None:
    folder = builtin_corpus_folder()
    for split in ("train", "valid", "test"):
        assert sum(1 for _ in read_parallel(folder / f"{split}.en", folder / f"{split}.ja")) >= 500


def test_the_installed_corpus_is_preferred(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(builtin, "PACKAGE", tmp_path / "nmt_lstm")
    installed, beside = tmp_path / "nmt_lstm" / "corpora" / "builtin_enja", tmp_path / "data" / "builtin_enja"
    with pytest.raises(DataError, match="reinstall nmt-lstm"):
        builtin_corpus_folder()
    for folder in (beside, installed):
        folder.mkdir(parents=True)
        (folder / "train.en").touch()
        assert builtin_corpus_folder() == folder


def test_a_model_is_given_by_its_folder_or_its_name(tmp_path) -> None:
    assert model_path(tmp_path) == tmp_path
    assert model_path("builtin:en-ja") == builtin_corpus_folder() / "model"
    assert model_path(Path("builtin:en-ja")) == builtin_corpus_folder() / "model"


def test_a_known_model_is_suggested_for_an_unknown_name() -> None:
    with pytest.raises(ModelFolderError, match=re.escape("Did you mean 'builtin:en-ja'")):
        Translator.load("builtin:en-jp")


@pytest.mark.parametrize("name", BUILTIN_MODELS)
def test_a_built_in_model_is_small_and_contains_no_absolute_paths(name) -> None:
    folder = model_folder.read(f"builtin:{name}")
    assert folder.manifest.exported == "int8"
    assert sum(file.stat().st_size for file in folder.folder.iterdir()) <= 3_000_000
    data = folder.run.data
    corpus = folder.folder.parent
    assert data.train_source.resolve() == (corpus / "train.en").resolve()
    assert not any(
        "/" in value for value in re.findall(r'"(/[^"]*)"', (folder.folder / "run.toml").read_text())
    )


def test_the_built_in_model_translates_as_recorded(repository) -> None:
    """A few lines may differ, since processors round differently and have different int8 products."""
    corpus = builtin_corpus_folder()
    recorded = list(read_lines(repository / "data" / "builtin_enja" / "model-translations.ja"))
    sources, references = list(read_lines(corpus / "test.en")), list(read_lines(corpus / "test.ja"))
    texts = [
        translation.text for translation in Translator.load("builtin:en-ja", device="cpu").translate(sources)
    ]
    different = sum(one != other for one, other in zip(texts, recorded, strict=True))
    assert different <= 0.03 * len(recorded)  # 11 of 600 lines with inputs of 7 bits, recorded with 8
    (bleu,) = corpus_scores(texts, references, metrics=("bleu",), tokenize="char")
    test = json.loads((corpus / "model" / "metrics.json").read_text(encoding="utf-8"))["test"]
    assert bleu.signature == test["bleu"]["signature"]
    assert bleu.value == pytest.approx(test["bleu"]["score"], abs=0.3)
    assert bleu.value > 90.0


def test_the_run_file_of_the_built_in_model_loads(repository) -> None:
    run = load_run(repository / "data" / "builtin_enja" / "en-ja.toml")
    assert run.data.train_source.is_file()
    trained = model_folder.read("builtin:en-ja").run
    assert (trained.model, trained.training) == (run.model, run.training)


def test_every_built_in_model_has_its_trained_weights() -> None:
    """Loaded in the same precision, they translate like the exported model."""
    for name, model in BUILTIN_MODELS.items():
        trained = model_folder.read(model_path(f"builtin:{name}", trained=True))
        trained.check_trained()
        exported = model_folder.read(f"builtin:{name}")
        assert trained.manifest.vocabulary == exported.manifest.vocabulary
        texts = [
            Translator.load(folder, device="cpu", precision="int8").translate([model.example])[0].text
            for folder in (trained.folder, exported.folder)
        ]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("name", ["builtin", "en-ja"])
def test_an_incomplete_name_is_completed_in_the_message(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFolderError, match="Did you mean 'builtin:en-ja'"):
        model_path(name)
    (tmp_path / name).mkdir()
    assert model_path(name) == Path(name)


def test_messages_name_a_built_in_model_as_it_is_given(tmp_path) -> None:
    for trained in (False, True):
        assert model_name(model_path("builtin:en-ja", trained=trained)) == "builtin:en-ja"
    assert model_name(tmp_path / "model") == str(tmp_path / "model")
    path = model_path("builtin:en-ja")
    with pytest.raises(WrongTaskError, match="'builtin:en-ja' is a translation model"):
        Manifest.read(path).check_task(path, "language-model")
