"""A run is not resumed with changed equations unless its user accepts them; the original ones are never lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nmt_lstm.checkpoint.model_folder import read
from nmt_lstm.checkpoint.plugin_records import plugin_digests
from nmt_lstm.errors import ChangedPluginError, ModelFolderError
from nmt_lstm.registry import load_plugin_file
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.run_identity import changed_processes, check_plugins, check_same_run

QUIET = Console(quiet=True)
SOURCE = """
import torch
from nmt_lstm import CELLS, GatedCell


@CELLS.register("resumed")
class Resumed(GatedCell):
    gates = ("candidate",)

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate) * 1.0,)
"""
CHANGED = SOURCE.replace("* 1.0", "* 0.5")
CELL = ("model.encoder.cell=resumed", "model.decoder.cell=resumed", "training.average=none")


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    file = tmp_path / "resumed.py"
    file.write_text(SOURCE, encoding="utf-8")
    load_plugin_file(str(file))
    return file


def change(plugin: Path) -> None:
    plugin.write_text(CHANGED, encoding="utf-8")
    load_plugin_file(str(plugin))


def test_a_changed_plugin_must_be_accepted(make_small_run: Any, output: Path, plugin: Path) -> None:
    fit(make_small_run(*CELL, "training.epochs=1"), output, console=QUIET)
    more = make_small_run(*CELL, "training.epochs=2")
    change(plugin)
    files = {file.name: file.read_bytes() for file in output.iterdir() if file.is_file()}
    with pytest.raises(ChangedPluginError, match="--accept-changed-plugins") as caught:
        fit(more, output, resume=True, console=QUIET)
    assert caught.value.names == ("cell resumed",)
    assert "line 11" in caught.value.differences[0]
    assert f"--plugin {output / 'plugin.resumed.py'}" in str(caught.value)
    assert files == {file.name: file.read_bytes() for file in output.iterdir() if file.name in files}

    fit(more, output, resume=True, console=QUIET, accept_changed_plugins=True)
    assert (output / "replaced-1-plugin.resumed.py").read_text(encoding="utf-8") == SOURCE
    identity = read_checkpoint(output / "checkpoints" / "last.ckpt")["nmt_lstm_run"]
    # Once accepted, the changed plugin belongs to the run.
    check_plugins(output, identity, {"plugins": plugin_digests(more)})
    read(output)


def test_the_copy_in_the_model_folder_can_resume_the_run(
    make_small_run: Any, output: Path, plugin: Path
) -> None:
    run = make_small_run(*CELL, "training.epochs=1")
    fit(run, output, console=QUIET)
    identity = read_checkpoint(output / "checkpoints" / "last.ckpt")["nmt_lstm_run"]
    plugin.write_text(CHANGED, encoding="utf-8")
    from nmt_lstm.registry import CELLS

    CELLS.unregister("resumed")
    load_plugin_file(str(output / "plugin.resumed.py"))
    check_plugins(output, identity, {"plugins": plugin_digests(run)})


def test_before_the_first_validation_the_checksum_detects_a_change(
    make_small_run: Any, output: Path, plugin: Path
) -> None:
    run = make_small_run(*CELL)
    identity = {"plugins": plugin_digests(run)}
    output.mkdir()
    check_plugins(output, identity, {"plugins": plugin_digests(run)})
    check_plugins(output, {}, {"plugins": plugin_digests(run)})  # from an earlier version
    change(plugin)
    with pytest.raises(ChangedPluginError) as caught:
        check_plugins(output, identity, {"plugins": plugin_digests(run)})
    assert caught.value.names == ("cell resumed",)
    check_plugins(output, identity, {"plugins": plugin_digests(run)}, accept_changes=True)


def test_a_changed_text_is_named_before_the_vocabulary_that_it_changes() -> None:
    def identity(*texts: str) -> dict[str, Any]:
        digests = {"source": "".join(texts), "target": "".join(texts)}
        return {
            "format": 1,
            "vocabulary": digests,
            "data": "".join(texts),
            "texts": list(texts),
            "settings": {},
        }

    path, names = Path("last.ckpt"), ["train.de", "train.en", "val.de", "val.en"]
    check_same_run(identity("a", "b", "c", "d"), identity("a", "b", "c", "d"), path=path, texts=names)
    with pytest.raises(ModelFolderError, match="'train.en' was changed") as caught:
        check_same_run(identity("a", "b", "c", "d"), identity("a", "x", "c", "d"), path=path, texts=names)
    assert caught.value.value == ["train.en"]
    with pytest.raises(ModelFolderError, match="'val.de' and 'val.en' were changed"):
        check_same_run(identity("a", "b", "c", "d"), identity("a", "b", "x", "y"), path=path, texts=names)
    earlier = identity("a", "b", "c", "d")
    del earlier["texts"]  # checkpoints of earlier versions
    with pytest.raises(ModelFolderError, match="vocabulary"):
        check_same_run(earlier, identity("a", "x", "c", "d"), path=path, texts=names)


@pytest.mark.parametrize(
    ("before", "now", "named"),
    [(2, 2, ""), (None, 2, ""), (2, 1, "1 process instead of 2"), (1, 4, "4 processes instead of 1")],
)
def test_a_different_number_of_processes_is_named(before: int | None, now: int, named: str) -> None:
    sentence = changed_processes({} if before is None else {"processes": before}, {"processes": now})
    assert named in sentence
    assert bool(named) == bool(sentence)
