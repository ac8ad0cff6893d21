"""A new plugin distribution works without changes, and no existing file is overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nmt_lstm.config.load import load_run
from nmt_lstm.corpora.builtin import builtin_corpus_folder
from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.plugin_template import distribution
from nmt_lstm.plugin_template.distribution import BASES, write_distribution


def write(name: str, parent: Path, base: str = "gated") -> Path:
    return write_distribution(name, parent, version="0.1.0", base=base)


@pytest.mark.parametrize("base", BASES)
def test_the_tests_of_a_new_distribution_pass(tmp_path, base) -> None:
    folder = write("my-part", tmp_path, base)
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder / "tests")],
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    assert "passed" in finished.stdout
    equations = (folder / "README.md").read_text(encoding="utf-8").split("```")[1]
    source = next(file for file in folder.glob("src/*/*.py") if file.name != "__init__.py")
    for line in equations.strip().splitlines():
        assert line in source.read_text(encoding="utf-8")
    assert "failed" not in finished.stdout


def test_the_entry_point_and_the_run_file_use_the_name(tmp_path) -> None:
    folder = write("Peephole-2", tmp_path)
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["nmt_lstm.cells.v1"] == {"Peephole-2": "peephole_2:Peephole2"}
    assert project["project"]["dependencies"] == ["nmt-lstm>=0.1,<1"]
    assert "class Peephole2(GatedCell):" in (folder / "src/peephole_2/cell.py").read_text(encoding="utf-8")
    run = load_run(folder / "run.toml", [])
    assert run.model.encoder.cell == run.model.decoder.cell == "Peephole-2"
    assert run.data.train_source == folder / "text" / "train.de"


@pytest.mark.parametrize("base", BASES)
def test_a_new_distribution_contains_no_path_of_this_machine(tmp_path, base) -> None:
    folder = write("my-part", tmp_path, base)
    for file in folder.rglob("*"):
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        assert str(tmp_path) not in text
        assert str(builtin_corpus_folder()) not in text
        assert "$" not in text


def test_a_new_attention_is_registered_as_an_attention(tmp_path) -> None:
    folder = write("my-attention", tmp_path, "attention")
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"] == {"nmt_lstm.attentions.v1": {"my-attention": "my_attention:MyAttention"}}
    model = load_run(folder / "run.toml", []).model
    assert (model.attention.name, model.encoder.cell) == ("my-attention", "lstm")
    assert write("gru", tmp_path, "attention").is_dir(), "a cell may have the same name"
    with pytest.raises(ConfigurationError, match="'dot' already exists"):
        write("dot", tmp_path, "attention")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("3x", "'3x' cannot name a plugin"),
        ("a/b", "'a/b' cannot name a plugin"),
        ("..", "'..' cannot name a plugin"),
        ("class", "'class' cannot name a plugin"),
        ("gru", "the cell 'gru' already exists"),
        ("json", "would hide .*'json'"),
        ("nmt-lstm", "would hide .*'nmt_lstm'"),
    ],
)
def test_an_invalid_name_is_rejected(tmp_path, name, message) -> None:
    with pytest.raises(ConfigurationError, match=message) as error_info:
        write(name, tmp_path)
    assert (error_info.value.key, error_info.value.value) == ("name", name)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_not_overwritten(tmp_path) -> None:
    (tmp_path / "my-cell").mkdir()
    with pytest.raises(ConfigurationError, match="my-cell' already exists"):
        write("my-cell", tmp_path)


def test_a_distribution_that_cannot_be_written_leaves_no_files(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(distribution.FILES, "missing.txt", "src/missing")
    with pytest.raises(ResourceError, match="my-cell' cannot be written"):
        write("my-cell", tmp_path)
    assert list(tmp_path.iterdir()) == []
