"""A model with a cell from a file: its copy in the folder is run by those who say so, and by nobody else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from nmt_lstm.checkpoint.model_folder import read, write
from nmt_lstm.checkpoint.plugin_records import plugin_records, run_copies
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import CELLS, load_plugin_file

SOURCE = '''
import torch
from nmt_lstm import CELLS, GatedCell


@CELLS.register("{name}")
class Halved(GatedCell):
    """A cell of few words."""

    gates = ("candidate",)

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate) / 2,)
'''


@pytest.fixture
def forget_plugins(monkeypatch):
    """Plugins that a test registers are gone after it, or when it calls this."""
    monkeypatch.setattr(CELLS, "_decorated", {})

    def forget() -> None:
        monkeypatch.setattr(CELLS, "_decorated", {})

    return forget


def run_with_cell(run, encoder: str, decoder: str):
    model = run.model.model_copy(
        update={
            "encoder": run.model.encoder.model_copy(update={"cell": encoder}),
            "decoder": run.model.decoder.model_copy(update={"cell": decoder}),
        }
    )
    return run.model_copy(update={"model": model})


@pytest.fixture
def folder(tmp_path, tiny_run, subwords, forget_plugins) -> Path:
    """A model folder whose encoder's cell came from a file that is no longer loaded."""
    (tmp_path / "halved.py").write_text(SOURCE.format(name="halved"), encoding="utf-8")
    load_plugin_file(str(tmp_path / "halved.py"))
    run = run_with_cell(tiny_run, "halved", "lstm")
    torch.manual_seed(1)
    state = build_model(run.model, subwords.source.size, subwords.target.size).state_dict()
    write(tmp_path / "model", run=run, subwords=subwords, model_state=state, metrics={})
    forget_plugins()
    return tmp_path / "model"


def test_the_file_is_copied_and_recorded(folder, tmp_path) -> None:
    found = read(folder)
    first, second = found.manifest.plugins["cells"]
    assert (first["name"], first["file"], first["distribution"]) == ("halved", "plugin.halved.py", "")
    assert "file" not in second
    assert (folder / "plugin.halved.py").read_bytes() == (tmp_path / "halved.py").read_bytes()
    assert "plugin.halved.py" in found.manifest.files


def test_the_copy_is_not_run_unasked(folder) -> None:
    with pytest.raises(
        ModelFolderError, match=r"cell 'halved', which was loaded from a file. Name that file with --plugin"
    ):
        read(folder).load_model()
    assert "halved" not in CELLS.names()


def test_the_copy_is_run_by_those_who_trust_it(folder) -> None:
    model = read(folder).load_model(trust_plugins=True)
    assert type(model.encoder.layers[0].forward_cell).__name__ == "Halved"


def test_copies_run_once_and_are_named(folder) -> None:
    records = read(folder).manifest.plugins
    assert run_copies(folder, records) == [folder / "plugin.halved.py"]
    assert "halved" in CELLS.names()
    assert run_copies(folder, records) == []


def test_the_file_itself_will_do_too(folder, tmp_path) -> None:
    load_plugin_file(str(tmp_path / "halved.py"))
    read(folder).load_model()
    # Where the name is there already, the copy is not run, trusted or not: it would be a second origin.
    read(folder).load_model(trust_plugins=True)


def test_a_changed_copy_is_refused(folder) -> None:
    with (folder / "plugin.halved.py").open("a", encoding="utf-8") as file:
        file.write("print('more')\n")
    with pytest.raises(ModelFolderError, match="plugin.halved.py' was changed or truncated"):
        read(folder)


def test_a_model_without_plugin_files_takes_the_old_copies_away(folder, tiny_run, subwords) -> None:
    torch.manual_seed(1)
    state = build_model(tiny_run.model, subwords.source.size, subwords.target.size).state_dict()
    write(folder, run=tiny_run, subwords=subwords, model_state=state, metrics={})
    assert not (folder / "plugin.halved.py").exists()
    read(folder).load_model()


def test_two_files_of_one_name_are_both_copied(tmp_path, tiny_run, forget_plugins) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cell.py").write_text(SOURCE.format(name=name), encoding="utf-8")
        load_plugin_file(str(tmp_path / name / "cell.py"))
    records, copies = plugin_records(run_with_cell(tiny_run, "one", "two"))
    assert [record["file"] for record in records["cells"]] == ["plugin.cell.py", "plugin.cell-2.py"]
    assert copies == {
        "plugin.cell.py": tmp_path / "one" / "cell.py",
        "plugin.cell-2.py": tmp_path / "two" / "cell.py",
    }


def test_a_copied_folder_takes_its_plugin_along(folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere")
    (tmp_path / "halved.py").unlink()
    read(tmp_path / "elsewhere").load_model(trust_plugins=True)
