"""Settings without a run file: chosen from the size of the text, or those of a model to be fine-tuned."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nmt_lstm import load_run
from nmt_lstm.cli.chosen_settings import FINE_TUNING_RATE, run_without_file
from nmt_lstm.corpora.builtin import model_path
from nmt_lstm.errors import ConfigurationError, ModelFolderError


@pytest.fixture
def texts(parallel_files) -> dict:
    return {
        "train_source": (parallel_files.train_source,),
        "train_target": (parallel_files.train_target,),
        "valid_source": (parallel_files.valid_source,),
        "valid_target": (parallel_files.valid_target,),
    }


def test_a_model_to_be_fine_tuned_gives_network_vocabulary_and_a_lower_learning_rate(texts, tmp_path) -> None:
    trained = model_path("builtin:en-ja", trained=True)
    run, description, held_out = run_without_file(texts, [], tmp_path / "tuned", resume=False, base=trained)
    base = load_run(trained / "run.toml")
    assert held_out is None
    assert run.model == base.model
    assert (run.subwords.model, run.subwords.joint) == (Path("builtin:en-ja"), base.subwords.joint)
    assert run.training.optimizer.learning_rate == pytest.approx(
        FINE_TUNING_RATE * base.training.optimizer.learning_rate
    )
    assert run.data.train_source == texts["train_source"][0]
    assert "'builtin:en-ja'" in "".join(description)


def test_options_win_over_the_model_to_be_fine_tuned(texts, repository, tmp_path) -> None:
    trained = repository / "data" / "builtin_enja" / "trained"
    settings = ["training.optimizer.learning_rate=0.5", "model.dropout=0.25"]
    run, _, _ = run_without_file(texts, settings, tmp_path / "tuned", resume=False, base=trained)
    assert (run.training.optimizer.learning_rate, run.model.dropout) == (0.5, 0.25)


def test_settings_of_subwords_ask_for_a_new_vocabulary(texts, repository, tmp_path) -> None:
    trained = repository / "data" / "builtin_enja" / "trained"
    run, description, _ = run_without_file(
        texts, ["subwords.vocabulary_size=300"], tmp_path / "tuned", resume=False, base=trained
    )
    assert (run.subwords.model, run.subwords.vocabulary_size) == (None, 300)
    assert "300 subword pieces" in "".join(description)


def test_an_exported_model_cannot_be_fine_tuned(texts, tmp_path) -> None:
    exported = shutil.copytree(model_path("builtin:en-ja"), tmp_path / "exported")
    with pytest.raises(ModelFolderError, match="exported"):
        run_without_file(texts, [], tmp_path, resume=False, base=exported)


def test_one_side_of_the_text_is_refused(texts, tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="-t"):
        run_without_file({**texts, "train_target": ()}, [], tmp_path, resume=False)


@pytest.mark.parametrize(("kind", "size", "factor"), [("byte", 0, 4), ("character", 0, 4), ("word", 0, 1)])
def test_a_new_kind_of_pieces_has_a_size_of_its_own(texts, repository, tmp_path, kind, size, factor) -> None:
    base = repository / "data" / "builtin_enja" / "trained"

    def run_with(*settings):
        return run_without_file(texts, list(settings), tmp_path / "tuned", resume=False, base=base)[0]

    trained, run = run_with(), run_with(f"subwords.kind={kind}")
    assert trained.subwords.vocabulary_size > 0
    assert (run.subwords.kind, run.subwords.vocabulary_size) == (kind, size)
    assert run.training.batch_pieces == factor * trained.training.batch_pieces
