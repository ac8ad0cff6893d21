"""The model folder: whole or refused, whatever happens to its files or its disk."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
from pathlib import Path

import pytest
import torch

from nmt_lstm.checkpoint import manifest, model_folder
from nmt_lstm.checkpoint.manifest import Manifest
from nmt_lstm.checkpoint.model_folder import check_output_folder, read, write
from nmt_lstm.errors import ModelFolderError, PluginError
from nmt_lstm.files.checksums import checked_json, parse_checked
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import CELLS


@pytest.fixture
def folder(random_model_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(random_model_folder, tmp_path / "model"))


def new_state(run, subwords, seed: int):
    torch.manual_seed(seed)
    return build_model(run.model, subwords.source.size, subwords.target.size).state_dict()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def edit_manifest(folder: Path, **values) -> None:
    path = folder / "manifest.json"
    path.write_text(checked_json({**parse_checked(path.read_text()), **values}))


def test_what_was_written_is_read(tmp_path, tiny_run, subwords) -> None:
    state = new_state(tiny_run, subwords, 3)
    write(
        tmp_path / "a/b",
        run=tiny_run,
        subwords=subwords,
        model_state=state,
        metrics={"bleu": 31.25, "steps": 7},
    )
    found = read(tmp_path / "a/b")
    assert found.run == tiny_run
    assert found.metrics == {"bleu": 31.25, "steps": 7}
    assert found.subwords.source.fingerprint == subwords.source.fingerprint
    model = found.load_model()
    assert not model.training
    loaded = model.state_dict()
    assert set(loaded) == set(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_the_folder_says_what_made_it(random_model_folder) -> None:
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


def test_writing_again_replaces_the_model_and_keeps_the_runs_other_files(folder, tiny_run, subwords) -> None:
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints/last.ckpt").write_text("precious")
    state = new_state(tiny_run, subwords, 4)
    write(folder, run=tiny_run, subwords=subwords, model_state=state, metrics={})
    assert (folder / "checkpoints/last.ckpt").read_text() == "precious"
    loaded = read(folder).load_model().state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert not list(folder.glob(".writing-*"))


@pytest.mark.parametrize("stage", ["weights", "sync"])
def test_a_full_disk_leaves_the_old_model_whole(folder, tiny_run, subwords, monkeypatch, stage) -> None:
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


def test_a_write_that_is_cut_short_is_noticed_by_the_reader(folder, tiny_run, subwords, monkeypatch) -> None:
    original = Path.replace

    def dies_before_the_manifest(self, target):
        if self.name == "manifest.json":
            raise KeyboardInterrupt
        return original(self, target)

    monkeypatch.setattr(Path, "replace", dies_before_the_manifest)
    with pytest.raises(KeyboardInterrupt):
        write(
            folder, run=tiny_run, subwords=subwords, model_state=new_state(tiny_run, subwords, 6), metrics={}
        )
    with pytest.raises(ModelFolderError, match=r"was changed.* or wait if it is just being written"):
        read(folder)


@pytest.mark.parametrize("name", ["run.toml", "subwords.joint.model", "model.safetensors", "metrics.json"])
def test_missing_and_changed_files_are_named(folder, name) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelFolderError, match=rf"{name}' was changed: its SHA-256"):
        read(folder)
    (folder / name).write_bytes(content[:-1])
    with pytest.raises(
        ModelFolderError, match=rf"{name}' was changed or truncated: it has [\d,]+ bytes, not"
    ):
        read(folder)
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=rf"lacks '{name}'; copy the whole folder"):
        read(folder)


def test_folders_that_are_no_models_are_told_apart(tmp_path, folder) -> None:
    with pytest.raises(ModelFolderError, match=r"nowhere' does not exist; train one"):
        read(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelFolderError, match=r"not a model folder: it has no manifest.json"):
        read(tmp_path / "empty")
    (tmp_path / "empty/manifest.json").write_text('{"name": "web app"}')
    with pytest.raises(ModelFolderError, match="manifest of something else: its format is None"):
        read(tmp_path / "empty")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(ModelFolderError, match=r"manifest.json' is damaged"):
        read(folder)


def test_a_damaged_manifest_names_the_field(folder) -> None:
    edit_manifest(folder, files={"run.toml": {"bytes": "many"}})
    with pytest.raises(ModelFolderError, match=r"manifest.json' is damaged: files.run.toml"):
        read(folder)


def test_every_flipped_bit_of_a_manifest_is_seen_or_harmless(folder) -> None:
    path = folder / "manifest.json"
    before, content = Manifest.read(folder), path.read_bytes()
    for place in range(0, len(content), 7):
        for bit in (1, 16):
            path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
            try:
                assert Manifest.read(folder) == before
            except ModelFolderError as problem:
                assert "manifest.json" in str(problem) or "format version" in str(problem)  # noqa: PT017


def test_a_changed_manifest_is_named(folder) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "parameters": 1}))
    with pytest.raises(ModelFolderError, match=r"manifest.json' is damaged .*checksum"):
        read(folder)


def test_manifests_of_earlier_versions_have_no_checksum(folder) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(parse_checked(path.read_text())))
    assert "sha256" not in json.loads(path.read_text())
    read(folder).load_model()


def test_a_newer_format_asks_for_an_upgrade(folder) -> None:
    edit_manifest(folder, format_version=manifest.FORMAT_VERSION + 1, versions={"nmt-lstm": "9.0"})
    with pytest.raises(
        ModelFolderError, match=r"format version 2, .* reads up to 1; .* nmt-lstm 9.0: install"
    ):
        read(folder)


def test_files_outside_of_the_folder_are_refused(folder) -> None:
    values = json.loads((folder / "manifest.json").read_text())
    edit_manifest(folder, files={**values["files"], "../secret": {"bytes": 1, "sha256": ""}})
    with pytest.raises(ModelFolderError, match=r"a file outside the folder: '../secret'"):
        read(folder)


def test_another_vocabulary_is_refused(folder) -> None:
    values = json.loads((folder / "manifest.json").read_text())
    edit_manifest(folder, vocabulary={**values["vocabulary"], "target": "0" * 64})
    with pytest.raises(
        ModelFolderError, match="another target vocabulary than its weights were trained with"
    ):
        read(folder)


def test_a_missing_plugin_says_what_to_install(folder) -> None:
    record = {"name": "mgu_of_old", "target": "old:MGU", "distribution": "nmt-lstm-old", "version": "2.1"}
    edit_manifest(folder, plugins={"cells": [record], "attentions": []})
    with pytest.raises(ModelFolderError, match=r"cell 'mgu_of_old'.* pip install 'nmt-lstm-old==2.1'"):
        read(folder).load_model()


def test_a_plugin_of_another_version_is_mentioned(folder, monkeypatch, caplog) -> None:
    record = {
        "name": "lstm",
        "target": "nmt_lstm.cells.lstm:LSTM",
        "distribution": "numpy",
        "version": "0.0.1",
    }
    edit_manifest(folder, plugins={"cells": [record], "attentions": []})
    read(folder).load_model()
    assert "trained with numpy 0.0.1, but" in caplog.text


def test_weights_of_another_shape_are_refused(folder, tiny_run, subwords) -> None:
    state = new_state(tiny_run, subwords, 1)
    name = next(iter(state))
    state[name] = torch.zeros(3, 3)
    write(folder, run=tiny_run, subwords=subwords, model_state=state, metrics={})
    with pytest.raises(ModelFolderError, match=rf"do not fit the model of its run.toml: .*{name}"):
        read(folder).load_model()


def test_output_folders_of_others_are_refused(tmp_path, folder) -> None:
    check_output_folder(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    check_output_folder(tmp_path / "empty")
    check_output_folder(folder)
    started = tmp_path / "started"
    (started / "checkpoints").mkdir(parents=True)
    (started / "logs").mkdir()
    check_output_folder(started)

    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFolderError, match="file' is a file; choose another name with -o"):
        check_output_folder(tmp_path / "file")
    (tmp_path / "empty/thesis.tex").write_text("")
    with pytest.raises(ModelFolderError, match=r"not a run's \(thesis.tex\); choose another with -o"):
        check_output_folder(tmp_path / "empty")
    (started / "manifest.json").write_text('{"name": "web app"}')
    with pytest.raises(ModelFolderError, match="manifest of something else"):
        check_output_folder(started)


def test_nothing_is_written_into_a_folder_of_others(tmp_path, tiny_run, subwords) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ModelFolderError, match="not a run's"):
        write(tmp_path, run=tiny_run, subwords=subwords, model_state={}, metrics={})
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_registrys_other_errors_are_model_folder_errors_too(folder, monkeypatch) -> None:
    def broken(_):
        raise PluginError("it is broken")

    monkeypatch.setattr(CELLS, "require", broken)
    with pytest.raises(ModelFolderError, match=r"model folder .*: it is broken"):
        read(folder).load_model()


@pytest.mark.parametrize("inside", ["checkpoints/last.ckpt", "checkpoints/step-5.safetensors", "checkpoints"])
def test_a_checkpoint_is_not_a_model_and_the_model_folder_is_named(folder, inside) -> None:
    (folder / "checkpoints").mkdir()
    if inside != "checkpoints":
        (folder / inside).write_bytes(b"x")
    with pytest.raises(ModelFolderError, match=f"the model folder is '{folder}'") as caught:
        read(folder / inside)
    assert ("checkpoint of a training run" in str(caught.value)) == (inside != "checkpoints")


def test_a_file_is_not_a_model_folder(tmp_path) -> None:
    (tmp_path / "text").write_text("x")
    with pytest.raises(ModelFolderError, match=r"text' is a file"):
        read(tmp_path / "text")


def test_an_edited_run_file_is_told_how_settings_are_changed(folder) -> None:
    path = folder / "run.toml"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"beam_size = 5", b"beam_size = 9"))
    assert path.read_bytes() != content
    with pytest.raises(ModelFolderError, match=r"run.toml' was changed: .*--set"):
        read(folder)
    path.write_bytes(content.replace(b"\n", b"\r\n"))
    with pytest.raises(ModelFolderError, match=r"run.toml' was changed or truncated: .*line endings"):
        read(folder)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000])
def test_a_manifest_that_is_nested_too_deeply_is_damaged(folder, content) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ModelFolderError, match=r"manifest.json' is damaged .*nested"):
        read(folder)


@pytest.mark.parametrize("name", ["manifest.json", "run.toml", "metrics.json", "subwords.joint.model"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_files_that_never_end_are_refused(folder, name, kind) -> None:
    (folder / name).unlink()
    if kind == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to("/dev/zero")
    with pytest.raises(ModelFolderError, match=name):
        read(folder)


def test_a_full_disk_is_told_of_the_folder_and_not_of_a_temporary_one(tmp_path, tiny_run, subwords) -> None:
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
