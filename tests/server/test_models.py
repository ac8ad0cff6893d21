"""The models that a server offers."""

from __future__ import annotations

import re
import shutil

import pytest

from nmt_lstm.corpora.builtin import builtin_corpus_folder
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.server.models import served_models


@pytest.fixture
def folders(tmp_path):
    """Copies of the built-in model: "a", "b/a" with the same name, and "bare" without languages."""
    for name in ("a", "b/a", "bare"):
        shutil.copytree(builtin_corpus_folder() / "model", tmp_path / name)
    run = tmp_path / "bare" / "run.toml"
    run.write_text(re.sub("(source|target)_language.*", "", run.read_text()))
    return tmp_path


def test_models_have_different_names_and_the_first_of_a_pair_translates(folders) -> None:
    models = served_models([str(folders / "a"), f"de-pt_BR={folders / 'b' / 'a'}", "builtin:en-ja"])
    assert [(model.name, model.source, model.target) for model in models] == [
        ("a", "en", "ja"),
        ("a-2", "de", "pt-BR"),
        ("en-ja", "en", "ja"),
    ]
    assert models.between("EN", "ja") is models.first
    assert models.between("de", "pb") is models.named("a-2")
    assert models.between("ja", "en") is None
    assert models.languages() == ["en", "de", "ja", "pt-BR"]
    assert models.targets("en") == ["ja"]


def test_a_model_without_languages_is_told_how_to_name_them(folders) -> None:
    with pytest.raises(ConfigurationError, match="-m de-en=") as caught:
        served_models([str(folders / "bare")])
    assert caught.value.key == "--model"
    (model,) = served_models([f"en-ja={folders / 'bare'}"])
    assert model.source == "en"
    with pytest.raises(ConfigurationError, match="same language"):
        served_models([f"en-en={folders / 'bare'}"])
    with pytest.raises(ModelFolderError):
        served_models([f"en-ja={folders / 'nothing'}"])


def test_a_model_of_several_directions_is_named_once_for_each(folders) -> None:
    run = folders / "a" / "run.toml"
    text = re.sub("(train|valid)_(source|target) = .*", "", run.read_text())
    corpora = "".join(
        f'[[data.corpora]]\nsource = "train.en"\ntarget = "train.{code}"\ntag = "<2{code}>"\n'
        for code in ("ja", "de")
    )
    run.write_text(f"{text}\n{corpora}")
    with pytest.raises(ConfigurationError, match="#<2ja>") as caught:
        served_models([str(folders / "a")])
    assert caught.value.known == ("<2ja>", "<2de>")
    with pytest.raises(ConfigurationError, match="no tag '<2xx>'"):
        served_models([f"en-ja={folders / 'a'}#<2xx>"])


def test_a_folder_whose_languages_change_is_not_served_unless_they_were_named(folders) -> None:
    models = served_models([str(folders / "a"), f"de-en={folders / 'b' / 'a'}"])
    models.check()
    for name in ("b/a", "a"):
        models.check()
        run = folders / name / "run.toml"
        run.write_text(re.sub('target_language = "ja"', 'target_language = "fr"', run.read_text()))
    with pytest.raises(ConfigurationError, match="now en-fr") as caught:
        models.check()
    assert (caught.value.path, caught.value.value) == (folders / "a", "en-fr")
    shutil.rmtree(folders / "a")
    with pytest.raises(ModelFolderError):
        models.check()
