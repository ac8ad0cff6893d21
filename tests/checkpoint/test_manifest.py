"""Manifests are verified: damaged, foreign and newer folders are refused with advice."""

from __future__ import annotations

import json

import pytest

from nmt_lstm.checkpoint import manifest
from nmt_lstm.checkpoint.manifest import Manifest
from nmt_lstm.checkpoint.model_folder import read
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.files.checksums import parse_checked


def test_other_folders_are_refused(tmp_path, folder) -> None:
    with pytest.raises(ModelFolderError, match="nowhere' does not exist"):
        read(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelFolderError, match="it has no manifest.json"):
        read(tmp_path / "empty")
    (tmp_path / "empty/manifest.json").write_text('{"name": "web app"}')
    with pytest.raises(ModelFolderError, match="written by another program"):
        read(tmp_path / "empty")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(ModelFolderError, match=r"manifest.json' is damaged"):
        read(folder)


def test_a_damaged_manifest_names_the_field(folder, edit_manifest) -> None:
    edit_manifest(files={"run.toml": {"bytes": "many"}})
    with pytest.raises(ModelFolderError, match="damaged .files.run.toml"):
        read(folder)


def test_every_flipped_bit_of_a_manifest_is_detected_or_harmless(folder) -> None:
    path = folder / "manifest.json"
    before, content = Manifest.read(folder), path.read_bytes()
    for index in range(0, len(content), 7):
        for bit in (1, 16):
            path.write_bytes(content[:index] + bytes([content[index] ^ bit]) + content[index + 1 :])
            try:
                assert Manifest.read(folder) == before
            except ModelFolderError as error:
                assert error.path in (path, folder)  # noqa: PT017


def test_a_changed_manifest_is_refused(folder) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "parameters": 1}))
    with pytest.raises(ModelFolderError, match=r"manifest.json' is damaged .*checksum"):
        read(folder)


def test_manifests_of_earlier_versions_without_a_checksum_are_read(folder) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(parse_checked(path.read_text())))
    assert "sha256" not in json.loads(path.read_text())
    read(folder).load_model()


def test_the_error_of_a_newer_format_says_what_to_install(folder, edit_manifest) -> None:
    edit_manifest(format_version=manifest.FORMAT_VERSION + 1, versions={"nmt-lstm": "9.0"})
    with pytest.raises(ModelFolderError, match="format version 2, .* nmt-lstm 9.0"):
        read(folder)


def test_files_outside_the_folder_are_refused(folder, edit_manifest) -> None:
    values = json.loads((folder / "manifest.json").read_text())
    edit_manifest(files={**values["files"], "../secret": {"bytes": 1, "sha256": ""}})
    with pytest.raises(ModelFolderError, match="outside the folder: '../secret'"):
        read(folder)


@pytest.mark.parametrize("inside", ["checkpoints/last.ckpt", "checkpoints/step-5.safetensors", "checkpoints"])
def test_the_error_of_a_checkpoint_names_its_model_folder(folder, inside) -> None:
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


def test_the_error_of_an_edited_run_file_says_how_to_change_settings(folder) -> None:
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
def test_a_deeply_nested_manifest_is_refused(folder, content) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ModelFolderError, match=r"manifest.json' is damaged .*nested"):
        read(folder)


@pytest.mark.parametrize("name", ["run.toml", "subwords.joint.model", "model.safetensors", "metrics.json"])
def test_missing_and_changed_files_are_named(folder, name) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelFolderError, match=rf"{name}' was changed: its SHA"):
        read(folder)
    (folder / name).write_bytes(content[:-1])
    with pytest.raises(ModelFolderError, match=rf"{name}' was .*truncated") as caught:
        read(folder)
    assert caught.value.path == folder / name
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=f"'{name}' is missing"):
        read(folder)
