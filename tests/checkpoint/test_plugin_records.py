"""The copy of a plugin file in a model folder is run only on request."""

from __future__ import annotations

import importlib
import logging
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from nmt_lstm.cells.cell_wrapper import CellWrapper
from nmt_lstm.checkpoint.model_folder import class_advice, read, write
from nmt_lstm.checkpoint.plugin_records import needs_trust, plugin_digests, plugin_records, run_copies
from nmt_lstm.errors import ModelFolderError, UntrustedPluginError
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import CELLS, load_plugin_file, provenance
from nmt_lstm.registry.provenance import import_root

SOURCE = '''
import torch
from nmt_lstm import CELLS, GatedCell


@CELLS.register("{name}")
class Halved(GatedCell):
    """A simple cell."""

    gates = ("candidate",)

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate) / 2,)
'''


@pytest.fixture
def forget_plugins(monkeypatch):
    """A function that forgets all registered plugins, which also happens after the test."""
    monkeypatch.setattr(CELLS, "_decorated", {})
    monkeypatch.setattr(provenance, "_trusted", set())

    def forget() -> None:
        monkeypatch.setattr(CELLS, "_decorated", {})

    return forget


def run_with_cell(run, encoder: str, decoder: str):
    """The settings of a run with these cells."""
    model = run.model.model_copy(
        update={
            "encoder": run.model.encoder.model_copy(update={"cell": encoder}),
            "decoder": run.model.decoder.model_copy(update={"cell": decoder}),
        }
    )
    return run.model_copy(update={"model": model})


@pytest.fixture
def folder(tmp_path, tiny_run, subwords, forget_plugins) -> Path:
    """A model folder whose encoder has a cell from a file that is no longer loaded."""
    (tmp_path / "halved.py").write_text(SOURCE.format(name="halved"), encoding="utf-8")
    load_plugin_file(str(tmp_path / "halved.py"))
    run = run_with_cell(tiny_run, "halved", "lstm")
    torch.manual_seed(1)
    state = build_model(run.model, subwords.source.size, subwords.target.size).state_dict()
    write(tmp_path / "model", run=run, subwords=subwords, model_state=state, metrics={})
    forget_plugins()
    return tmp_path / "model"


def test_the_file_is_copied_and_recorded(folder, tmp_path) -> None:
    model = read(folder)
    first, second = model.manifest.plugins["cells"]
    assert (first["name"], first["file"], first["distribution"]) == ("halved", "plugin.halved.py", "")
    assert "file" not in second
    assert (folder / "plugin.halved.py").read_bytes() == (tmp_path / "halved.py").read_bytes()
    assert "plugin.halved.py" in model.manifest.files


def test_the_copy_is_not_run_without_trust(folder) -> None:
    with pytest.raises(ModelFolderError, match="'halved', .*--plugin"):
        read(folder).load_model()
    assert "halved" not in CELLS.names()


def test_the_copy_is_run_if_it_is_trusted(folder) -> None:
    model = read(folder).load_model(trust_plugins=True)
    assert type(model.encoder.layers[0].forward_cell).__name__ == "Halved"


def test_a_copy_runs_only_once(folder) -> None:
    records = read(folder).manifest.plugins
    assert run_copies(folder, records) == [folder / "plugin.halved.py"]
    assert "halved" in CELLS.names()
    assert run_copies(folder, records) == []


def test_the_original_file_is_sufficient(folder, tmp_path) -> None:
    load_plugin_file(str(tmp_path / "halved.py"))
    read(folder).load_model()
    # A copy is not run if its name is registered, trusted or not: it would be a second origin.
    read(folder).load_model(trust_plugins=True)


def test_a_changed_copy_is_refused(folder) -> None:
    with (folder / "plugin.halved.py").open("a", encoding="utf-8") as file:
        file.write("print('more')\n")
    with pytest.raises(ModelFolderError, match="plugin.halved.py' was changed"):
        read(folder)


def test_old_copies_are_removed_when_a_model_without_plugins_is_written(folder, tiny_run, subwords) -> None:
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
        "plugin.cell.py": (tmp_path / "one" / "cell.py").read_bytes(),
        "plugin.cell-2.py": (tmp_path / "two" / "cell.py").read_bytes(),
    }


def test_a_copied_folder_contains_its_plugin(folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere")
    (tmp_path / "halved.py").unlink()
    read(tmp_path / "elsewhere").load_model(trust_plugins=True)


def model_of(run, subwords, folder: Path) -> Path:
    """Write a model folder of a run, with any weights."""
    torch.manual_seed(1)
    state = build_model(run.model, subwords.source.size, subwords.target.size).state_dict()
    write(folder, run=run, subwords=subwords, model_state=state, metrics={})
    return folder


def test_the_copy_has_the_contents_that_were_loaded(tmp_path, tiny_run, subwords, forget_plugins) -> None:
    file = tmp_path / "halved.py"
    text = SOURCE.format(name="halved")
    file.write_text(text, encoding="utf-8")
    load_plugin_file(str(file))
    file.write_text(text.replace("/ 2", "/ 3"), encoding="utf-8")
    folder = model_of(run_with_cell(tiny_run, "halved", "halved"), subwords, tmp_path / "model")
    assert (folder / "plugin.halved.py").read_text(encoding="utf-8") == text


def test_a_plugin_folder_is_copied_and_run(tmp_path, tiny_run, subwords, forget_plugins) -> None:
    plugin = tmp_path / "halves"
    plugin.mkdir()
    (plugin / "__init__.py").write_text("from . import halved\n", encoding="utf-8")
    (plugin / "halved.py").write_text(
        SOURCE.format(name="halved")
        .replace("/ 2", "/ TWO")
        .replace("import torch", "import torch\nfrom .two import TWO"),
        encoding="utf-8",
    )
    (plugin / "two.py").write_text("TWO = 2\n", encoding="utf-8")
    load_plugin_file(str(plugin))
    folder = model_of(run_with_cell(tiny_run, "halved", "lstm"), subwords, tmp_path / "model")
    shutil.rmtree(plugin)
    forget_plugins()
    model = read(folder)
    assert model.manifest.plugins["cells"][0]["file"] == "plugin.halves"
    assert {"plugin.halves/__init__.py", "plugin.halves/halved.py", "plugin.halves/two.py"} <= set(
        model.manifest.files
    )
    assert needs_trust(folder, model.manifest.plugins)
    with pytest.raises(ModelFolderError, match="--trust-plugins"):
        model.load_model()
    model.load_model(trust_plugins=True)
    (folder / "plugin.halves" / "two.py").write_text("TWO = 3\n", encoding="utf-8")
    with pytest.raises(ModelFolderError, match=r"two.py' was changed"):
        read(folder)
    model_of(tiny_run, subwords, folder)
    assert not list(folder.glob("plugin.*"))


def test_the_copy_of_a_copy_keeps_its_name(folder, tmp_path, tiny_run, subwords) -> None:
    model = read(folder)
    model.load_model(trust_plugins=True)
    again = model_of(model.run, subwords, tmp_path / "again")
    assert [file.name for file in again.glob("plugin.*")] == ["plugin.halved.py"]


def test_a_changed_plugin_file_is_warned_of_with_its_line(folder, tmp_path, caplog) -> None:
    load_plugin_file(str(tmp_path / "halved.py"))
    with caplog.at_level(logging.WARNING):
        read(folder).load_model()
    assert caplog.text == ""
    text = (tmp_path / "halved.py").read_text(encoding="utf-8")
    (tmp_path / "halved.py").write_text(text.replace("/ 2", "/ 3"), encoding="utf-8")
    load_plugin_file(str(tmp_path / "halved.py"))
    with caplog.at_level(logging.WARNING):
        read(folder).load_model()
    (record,) = caplog.records
    message = record.getMessage()
    assert all(
        word in message for word in ("'halved'", "line 13", "/ 3", "/ 2", "SHA-256", "--trust-plugins")
    )


def test_a_part_with_a_different_origin_is_warned_of(folder, caplog) -> None:
    from nmt_lstm.cells.rnn import RNN

    CELLS.register("halved")(type("Other", (RNN,), {}))
    with caplog.at_level(logging.WARNING):
        read(folder).load_model()
    assert "'halved' differs" in caplog.text


CLASS = SOURCE.replace('@CELLS.register("{name}")\n', "")


@pytest.fixture
def class_folder(tmp_path, tiny_run, subwords, forget_plugins, monkeypatch) -> Path:
    """A model folder that names a class of a module in it, which is not installed."""
    folder = tmp_path / "model"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    (tmp_path / "evil_cell.py").write_text(CLASS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    run = run_with_cell(tiny_run, "evil_cell:Halved", "lstm")
    model_of(run, subwords, folder)
    (tmp_path / "evil_cell.py").rename(folder / "evil_cell.py")
    del sys.modules["evil_cell"]
    monkeypatch.chdir(folder)
    yield folder
    sys.modules.pop("evil_cell", None)


def test_a_class_that_a_folder_names_is_imported_only_if_it_is_trusted(class_folder) -> None:
    model = read(class_folder)
    assert needs_trust(class_folder, model.manifest.plugins)
    with pytest.raises(UntrustedPluginError) as caught:
        model.load_model()
    assert caught.value.target == "evil_cell:Halved"
    assert caught.value.file == class_folder / "evil_cell.py"
    assert "evil_cell" not in sys.modules
    assert model.load_model(trust_plugins=True)


def test_a_class_that_a_wrapper_would_build_is_not_imported(
    folder, tmp_path, tiny_run, forget_plugins, monkeypatch
) -> None:
    """The inner cell is named by the folder, whatever the option of the wrapper is called."""
    import nmt_lstm.checkpoint.model_folder as module
    from nmt_lstm.cells.rnn import RNN

    class Around(RNN):
        def __init__(self, input_size: int, hidden_size: int, *, inside: str = "rnn") -> None:
            super().__init__(input_size, hidden_size)
            self.inside = CELLS.build(inside, input_size, hidden_size)

    CELLS.register("around")(Around)
    load_plugin_file(str(tmp_path / "halved.py"))
    (tmp_path / "evil_inside.py").write_text(CLASS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    model = read(folder)
    encoder = model.run.model.encoder.model_copy(
        update={"cell": "around", "cell_options": {"inside": "evil_inside:Halved"}}
    )
    run = model.run.model_copy(update={"model": model.run.model.model_copy(update={"encoder": encoder})})
    changed = module.ModelFolder(model.folder, run, model.subwords, model.manifest, model.metrics)
    with pytest.raises(UntrustedPluginError) as caught:
        changed.load_model()
    assert caught.value.target == "evil_inside:Halved"
    assert "evil_inside" not in sys.modules


def test_cells_inside_other_cells_are_recorded(tiny_run, forget_plugins) -> None:
    @CELLS.register("around")
    class Around(CellWrapper):
        def __init__(
            self,
            input_size: int,
            hidden_size: int,
            *,
            cell: str = "lstm",
            cell_options: dict[str, Any] | None = None,
        ) -> None:
            super().__init__(CELLS.build(cell, input_size, hidden_size, options=cell_options or {}))

    inside = {"cell": "around", "cell_options": {"cell": "gru"}}
    decoder = tiny_run.model.decoder.model_copy(update={"cell": "around", "cell_options": inside})
    model = tiny_run.model.model_copy(update={"decoder": decoder})
    records, _ = plugin_records(tiny_run.model_copy(update={"model": model}))
    assert [record["name"] for record in records["cells"]][-2:] == ["around", "gru"]
    assert build_model(model, 20, 20).decoder.layers[0].cell.cell.state_sizes == {
        "hidden": decoder.hidden_size
    }


def test_digests_are_those_of_plugin_files(folder, tmp_path, tiny_run) -> None:
    run = run_with_cell(tiny_run, "halved", "lstm")
    load_plugin_file(str(tmp_path / "halved.py"))
    first = plugin_digests(run)
    assert list(first) == ["cell halved"]
    with (tmp_path / "halved.py").open("a", encoding="utf-8") as file:
        file.write("x = 1\n")
    assert plugin_digests(run) == first, "the file has not been loaded again"
    load_plugin_file(str(tmp_path / "halved.py"))
    assert plugin_digests(run) != first


def test_the_advice_about_a_class_without_a_copy_gives_its_folder(class_folder, tmp_path) -> None:
    advice = class_advice(class_folder, "nmt-lstm translate")
    assert "evil_cell:Halved" in advice
    assert f"\n  PYTHONPATH={class_folder} nmt-lstm translate\n" in advice
    (class_folder / "evil_cell.py").unlink()
    importlib.invalidate_caches()
    assert "PYTHONPATH=FOLDER" in class_advice(class_folder, "nmt-lstm translate")


def test_a_folder_of_stock_parts_needs_no_advice(random_model_folder, tmp_path) -> None:
    assert class_advice(random_model_folder, "nmt-lstm translate") == ""
    assert class_advice(tmp_path, "nmt-lstm translate") == ""


@pytest.mark.parametrize(
    ("file", "target"), [("one.py", "one:Cell"), ("a/b.py", "a.b:Cell"), ("a/c/__init__.py", "a.c:Cell")]
)
def test_the_import_root_of_a_class_is_found(tmp_path, monkeypatch, file, target) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert import_root(target) == tmp_path
