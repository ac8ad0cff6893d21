"""Models prepared once for all workers."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from nmt_lstm import Translator
from nmt_lstm.corpora.builtin import builtin_corpus_folder
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.files.lock import locked
from nmt_lstm.server.settings import LoadOptions, ModelFiles
from nmt_lstm.server.sharing import PREFIX, SharedFiles


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_trained_model_is_prepared_and_translates_as_before(temporary) -> None:
    held, left = temporary / f"{PREFIX}held", temporary / f"{PREFIX}left"
    for folder in (held, left):
        folder.mkdir()
    trained, exported = builtin_corpus_folder() / "trained", builtin_corpus_folder() / "model"
    shared = SharedFiles(
        [ModelFiles(name, folder, folder) for name, folder in (("trained", trained), ("exported", exported))],
        LoadOptions(),
    )
    with locked(held):
        first, second = asyncio.run(shared.prepare())
    assert held.exists()
    assert not left.exists()  # of a server that was killed
    assert (second.source, second.prepared) == (exported, exported)
    assert first.source == trained
    assert temporary in first.prepared.parents
    lines = (builtin_corpus_folder() / "test.en").read_text("utf-8").splitlines()[:20]
    found = Translator.load(first.prepared).translate(lines)
    assert found == Translator.load(trained).translate(lines)
    shared.remove()
    assert list(temporary.iterdir()) == [held]


def test_plugin_files_and_other_devices_are_loaded_as_they_are(temporary) -> None:
    folder = builtin_corpus_folder() / "trained"
    for options in (
        LoadOptions(trust_plugins=True),
        LoadOptions(device="cuda"),
        LoadOptions(plugins=(Path("a.py"),)),
    ):
        (files,) = asyncio.run(SharedFiles([ModelFiles("a", folder, folder)], options).prepare())
        assert files.prepared == files.source == folder
    assert not list(temporary.iterdir())


def test_a_model_that_cannot_be_prepared_is_named(tmp_path, temporary) -> None:
    missing = tmp_path / "nothing"
    shared = SharedFiles([ModelFiles("a", missing, missing)], LoadOptions())
    with pytest.raises(ModelFolderError, match="nothing"):
        asyncio.run(shared.prepare())
    shared.remove()
    assert not list(temporary.iterdir())
