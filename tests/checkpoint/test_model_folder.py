"""A model folder is intact or refused, whatever happens to its files or its disk."""

from __future__ import annotations

import errno
import json
import os
import resource
from pathlib import Path

import pytest
import torch

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import read, write
from nmt_lstm.errors import ModelFolderError, PluginError
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import CELLS


def new_state(run, subwords, seed: int):
    """Random weights of a model."""
    torch.manual_seed(seed)
    return build_model(run.model, subwords.source.size, subwords.target.size).state_dict()


def contents(folder: Path) -> dict[str, bytes]:
    """The contents of all files below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_written_folder_is_read_back(tmp_path, tiny_run, subwords) -> None:
    state = new_state(tiny_run, subwords, 3)
    write(
        tmp_path / "a/b",
        run=tiny_run,
        subwords=subwords,
        model_state=state,
        metrics={"bleu": 31.25, "steps": 7},
    )
    model_folder = read(tmp_path / "a/b")
    assert model_folder.run == tiny_run
    assert model_folder.metrics == {"bleu": 31.25, "steps": 7}
    assert model_folder.subwords.source.fingerprint == subwords.source.fingerprint
    model = model_folder.load_model()
    assert not model.training
    loaded = model.state_dict()
    assert set(loaded) == set(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_the_manifest_records_versions_plugins_and_files(random_model_folder) -> None:
    values = json.loads((random_model_folder / "manifest.json").read_text())
    assert values["format"] == "nmt-lstm model folder"
    assert values["format_version"] == 1
    assert values["versions"]["torch"] == torch.__version__
    assert {"nmt-lstm", "python", "sentencepiece", "numpy"} <= set(values["versions"])
    assert values["plugins"]["cells"][0]["name"] == "lstm"
    assert values["plugins"]["attentions"][0]["name"] == "bilinear"
    files = {file.name for file in random_model_folder.iterdir()}
    assert files == {*values["files"], "manifest.json"}
    assert files == {"run.toml", "subwords.joint.model", "model.safetensors", "metrics.json", "manifest.json"}


def test_writing_again_replaces_the_model_and_keeps_other_files(folder, tiny_run, subwords) -> None:
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints/last.ckpt").write_text("precious")
    state = new_state(tiny_run, subwords, 4)
    write(folder, run=tiny_run, subwords=subwords, model_state=state, metrics={})
    assert (folder / "checkpoints/last.ckpt").read_text() == "precious"
    loaded = read(folder).load_model().state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert not list(folder.glob(".writing-*"))


@pytest.mark.parametrize("stage", ["weights", "sync"])
def test_a_full_disk_leaves_the_old_model_intact(folder, tiny_run, subwords, monkeypatch, stage) -> None:
    before = contents(folder)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(model_folder, "save_weights" if stage == "weights" else "sync", full)
    with pytest.raises(OSError, match="No space left"):
        write(
            folder, run=tiny_run, subwords=subwords, model_state=new_state(tiny_run, subwords, 5), metrics={}
        )
    assert contents(folder) == before
    read(folder).load_model()


def test_an_interrupted_write_is_detected_when_reading(folder, tiny_run, subwords, monkeypatch) -> None:
    original = Path.replace

    def interrupt_before_the_manifest(self, target):
        if self.name == "manifest.json":
            raise KeyboardInterrupt
        return original(self, target)

    monkeypatch.setattr(Path, "replace", interrupt_before_the_manifest)
    with pytest.raises(KeyboardInterrupt):
        write(
            folder, run=tiny_run, subwords=subwords, model_state=new_state(tiny_run, subwords, 6), metrics={}
        )
    with pytest.raises(ModelFolderError, match="was changed.* or wait"):
        read(folder)


def test_a_different_vocabulary_is_refused(folder, edit_manifest) -> None:
    values = json.loads((folder / "manifest.json").read_text())
    edit_manifest(vocabulary={**values["vocabulary"], "target": "0" * 64})
    with pytest.raises(ModelFolderError, match="different target vocabulary"):
        read(folder)


def test_the_error_of_a_missing_plugin_says_what_to_install(folder, edit_manifest) -> None:
    record = {"name": "mgu_of_old", "target": "old:MGU", "distribution": "nmt-lstm-old", "version": "2.1"}
    edit_manifest(plugins={"cells": [record], "attentions": []})
    with pytest.raises(ModelFolderError, match="pip install 'nmt-lstm-old==2.1'"):
        read(folder).load_model()


def test_a_different_version_of_a_plugin_is_warned_of(folder, edit_manifest, monkeypatch, caplog) -> None:
    record = {
        "name": "lstm",
        "target": "nmt_lstm.cells.lstm:LSTM",
        "distribution": "numpy",
        "version": "0.0.1",
    }
    edit_manifest(plugins={"cells": [record], "attentions": []})
    read(folder).load_model()
    assert "trained with numpy 0.0.1, but" in caplog.text


def test_weights_of_a_different_shape_are_refused(folder, tiny_run, subwords) -> None:
    state = new_state(tiny_run, subwords, 1)
    name = next(iter(state))
    state[name] = torch.zeros(3, 3)
    write(folder, run=tiny_run, subwords=subwords, model_state=state, metrics={})
    with pytest.raises(ModelFolderError, match=rf"do not fit the model .*{name}"):
        read(folder).load_model()


def test_nothing_is_written_among_files_of_other_programs(tmp_path, tiny_run, subwords) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ModelFolderError, match="thesis.tex"):
        write(tmp_path, run=tiny_run, subwords=subwords, model_state={}, metrics={})
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_other_errors_of_the_registry_become_model_folder_errors(folder, monkeypatch) -> None:
    def broken(_):
        raise PluginError("it is broken")

    monkeypatch.setattr(CELLS, "require", broken)
    with pytest.raises(ModelFolderError, match=r"model folder .*: it is broken"):
        read(folder).load_model()


@pytest.mark.parametrize("name", ["manifest.json", "run.toml", "metrics.json", "subwords.joint.model"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pipes_and_devices_are_refused(folder, name, kind) -> None:
    (folder / name).unlink()
    if kind == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to("/dev/zero")
    with pytest.raises(ModelFolderError, match=name):
        read(folder)


@pytest.mark.parametrize("name", ["manifest.json", "run.toml", "model.safetensors", "subwords.joint.model"])
def test_a_link_is_followed_only_to_the_content_of_the_manifest(folder, tmp_path, name) -> None:
    outside = tmp_path / "outside"
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    read(folder).load_model()
    outside.write_bytes(outside.read_bytes()[:-2] + b" \n")
    with pytest.raises(ModelFolderError, match=name):
        read(folder).load_model()


def test_the_error_of_a_full_disk_names_the_folder(tmp_path, tiny_run, subwords) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    state = {"weights": torch.ones(100_000)}
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(OSError, match="large") as caught:
            write(tmp_path / "out", run=tiny_run, subwords=subwords, model_state=state, metrics={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "out"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_network_far_larger_than_the_weights_is_refused_before_it_is_built(folder, edit_manifest) -> None:
    from nmt_lstm.checkpoint.manifest import FileRecord
    from nmt_lstm.files.checksums import sha256_of

    text = (folder / "run.toml").read_text().replace("hidden_size = 20", "hidden_size = 65536")
    (folder / "run.toml").write_text(text)
    values = json.loads((folder / "manifest.json").read_text())
    record = FileRecord(bytes=len(text.encode()), sha256=sha256_of(folder / "run.toml")).model_dump()
    edit_manifest(files={**values["files"], "run.toml": record})
    with pytest.raises(ModelFolderError, match="too large") as caught:
        read(folder).load_model()
    assert caught.value.path == folder
