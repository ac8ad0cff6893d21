"""Fine-tuning: weights of a trained model as the start of a run, with the same and with a new vocabulary."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from nmt_lstm import ModelFolder, build_model
from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import ModelSettings, SubwordSettings
from nmt_lstm.corpora.builtin import builtin_corpus_folder, model_path
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.subwords import Subwords, read_subwords, train_subwords
from nmt_lstm.training.initial_weights import freeze, read_base, start_from


@pytest.fixture(scope="module")
def base(repository) -> ModelFolder:
    return ModelFolder.read(repository / "data" / "builtin_enja" / "trained")


@pytest.fixture(scope="module")
def other_subwords() -> Subwords:
    folder = builtin_corpus_folder()
    pairs = list(read_parallel(folder / "valid.en", folder / "valid.ja"))
    return train_subwords(lambda: pairs, SubwordSettings(vocabulary_size=500), len(pairs), seed=1)


def new_model(base: ModelFolder, subwords: Subwords, **changes: object):
    torch.manual_seed(7)
    return build_model(base.run.model.model_copy(update=changes), subwords.source.size, subwords.target.size)


def test_with_the_same_vocabulary_all_weights_are_those_of_the_model(base) -> None:
    model = new_model(base, base.subwords)
    sentence = start_from(base.folder, model, base.subwords, task="translation", settings=base.run.model)
    expected = base.load_model().state_dict()
    assert "all weights" in sentence
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, expected[name]), name


def test_with_a_new_vocabulary_shared_pieces_keep_their_rows(base, other_subwords) -> None:
    model, untouched = (new_model(base, other_subwords) for _ in range(2))
    sentence = start_from(base.folder, model, other_subwords, task="translation", settings=base.run.model)
    before, after, fresh = (each.state_dict() for each in (base.load_model(), model, untouched))
    old = {
        piece: row for row, piece in enumerate(base.subwords.target.pieces(range(base.subwords.target.size)))
    }
    new = other_subwords.target.pieces(range(other_subwords.target.size))
    shared = [piece for piece in new if piece in old]
    assert 100 < len(shared) < len(new)
    assert f"{len(shared):,} of {len(new):,}" in sentence
    for row, piece in enumerate(new):
        for name in ("target_embedding.weight", "output_weight", "output_bias", "encoder.embedding.weight"):
            expected = before[name][old[piece]] if piece in old else fresh[name][row]
            assert torch.equal(after[name][row], expected), (name, piece)
    assert torch.equal(after["decoder.cells.0.weight_hh"], before["decoder.cells.0.weight_hh"])


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"embedding_size": 32}, ["model.embedding_size"]),
        (
            {"decoder": {"wiring": "conditional", "hidden_size": 64}},
            ["model.decoder.wiring", "model.decoder.hidden_size"],
        ),
        # The weights would fit, but the network would not compute what they were trained for.
        ({"encoder": {"residual": True}}, ["model.encoder.residual"]),
    ],
)
def test_a_different_network_is_refused_by_the_names_of_its_settings(base, changes, names) -> None:
    values = base.run.model.model_dump()
    for name, change in changes.items():
        values[name] = {**values[name], **change} if isinstance(change, dict) else change
    with pytest.raises(ConfigurationError) as refused:
        read_base(base.folder, "translation", ModelSettings.model_validate(values))
    assert refused.value.key in names
    assert all(name in str(refused.value) for name in names)


def test_dropout_may_differ(base) -> None:
    settings = base.run.model.model_copy(update={"dropout": 0.5, "word_dropout": 0.1})
    assert read_base(base.folder, "translation", settings).folder == base.folder


def test_the_builtin_model_is_the_trained_one(base) -> None:
    read = read_base(Path("builtin:en-ja"), "translation", base.run.model)
    assert read.manifest.exported == ""
    run = make_run({"data": {"train_source": "a", "train_target": "b"}}, ["training.init_from=builtin:en-ja"])
    assert run.training.init_from == Path("builtin:en-ja")


def test_an_exported_model_is_refused(base, tmp_path) -> None:
    exported = shutil.copytree(model_path("builtin:en-ja"), tmp_path / "exported")
    with pytest.raises(ModelFolderError, match="exported"):
        read_base(exported, "translation", base.run.model)


def test_frozen_parameters_are_named_by_patterns(base) -> None:
    model = new_model(base, base.subwords)
    count = freeze(model, ["encoder.*", "output_bias"])
    names = dict(model.named_parameters(remove_duplicate=False))
    frozen = {name for name, weight in names.items() if not weight.requires_grad}
    tied = {name for name in names if names[name] is names["encoder.embedding.weight"]}
    assert frozen == {name for name in names if name.startswith("encoder.")} | tied | {"output_bias"}
    assert count == sum(weight.numel() for weight in model.parameters() if not weight.requires_grad)


@pytest.mark.parametrize("patterns", [["encodr.*"], ["*"]])
def test_patterns_that_match_nothing_or_everything_are_refused(base, patterns) -> None:
    with pytest.raises(ConfigurationError) as refused:
        freeze(new_model(base, base.subwords), patterns)
    assert refused.value.key == "training.freeze"


def test_vocabularies_of_a_file_or_folder_are_used(base, tmp_path) -> None:
    joint = base.subwords.joint
    subwords = read_subwords(base.folder, SubwordSettings(joint=joint))
    assert subwords.target.fingerprint == base.subwords.target.fingerprint
    file = tmp_path / "own.model"
    base.subwords.target.save(file)
    assert (
        read_subwords(file, SubwordSettings(joint=True)).source.fingerprint
        == base.subwords.target.fingerprint
    )
    with pytest.raises(ConfigurationError, match="joint"):
        read_subwords(file, SubwordSettings(joint=False))


@pytest.mark.spread
def test_a_model_is_fine_tuned_from_the_command_line(repository, tmp_path, monkeypatch) -> None:
    from nmt_lstm.cli.app import main

    monkeypatch.chdir(tmp_path)
    text, trained = builtin_corpus_folder(), repository / "data" / "builtin_enja" / "trained"
    for side in ("en", "ja"):
        lines = (text / f"valid.{side}").read_text(encoding="utf-8").splitlines(keepends=True)
        Path(f"train.{side}").write_text("".join(lines[:300]), encoding="utf-8")
        Path(f"valid.{side}").write_text("".join(lines[300:340]), encoding="utf-8")
    words = [
        "train",
        "-s",
        "train.en",
        "-t",
        "train.ja",
        "--valid-source",
        "valid.en",
        "--valid-target",
        "valid.ja",
    ]
    words += ["-o", "tuned", "--init-from", str(trained), "--set", 'training.freeze=["encoder.*"]']
    words += ["--set", "training.max_steps=3", "--set", "training.average=none", "--set", "training.ema=0"]
    assert main(words) == 0
    base, tuned = ModelFolder.read(trained), ModelFolder.read("tuned")
    assert tuned.subwords.target.fingerprint == base.subwords.target.fingerprint
    assert tuned.run.training.init_from == trained
    before, after = base.load_model().state_dict(), tuned.load_model().state_dict()
    # The embeddings of both sides are one tied weight, which is the encoder's, too.
    tied = {"encoder.embedding.weight", "target_embedding.weight", "output_weight"}
    for name in before:
        assert torch.equal(before[name], after[name]) == (name.startswith("encoder.") or name in tied), name
