"""Folders with ONNX graphs: what they translate, also without this package, and when they are not written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nmt_lstm.checkpoint.model_folder import GRAPHS, read
from nmt_lstm.errors import ConfigurationError, ModelFolderError, PluginError, ResourceError
from nmt_lstm.extras import install_command
from nmt_lstm.inference.exported import write_exported
from nmt_lstm.inference.onnx import folder as folder_module
from nmt_lstm.inference.onnx.folder import write_onnx
from nmt_lstm.inference.translator import Translator

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

LINES = ["eins zwei .", "drei vier fünf sechs .", "", "sieben", "acht neun null eins zwei ."]


def ascii_letters(text: str) -> str:
    return "".join(character for character in text if character.isascii() and not character.isspace())


def test_a_folder_with_graphs_translates_like_the_model(random_model_folder, tmp_path) -> None:
    difference = write_onnx(tmp_path / "graphs", read(random_model_folder))
    assert 0 <= difference < 1e-3
    names = {file.name for file in (tmp_path / "graphs").iterdir()}
    assert set(GRAPHS) < names
    assert "model.safetensors" not in names
    expected, translator = (
        Translator.load(folder, device="cpu") for folder in (random_model_folder, tmp_path / "graphs")
    )
    assert [each.text for each in translator.translate(LINES)] == [
        each.text for each in expected.translate(LINES)
    ]
    scores = [
        [each.log_probability for each in one.score(LINES, LINES[::-1])] for one in (expected, translator)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-2)
    ensemble = Translator.load([random_model_folder, tmp_path / "graphs"], device="cpu")
    assert [each.text for each in ensemble.translate(LINES)] == [
        each.text for each in expected.translate(LINES)
    ]
    # The program in the guide does not use this package.
    guide = Path(__file__).parents[3] / "docs" / "onnx.md"
    (program,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), flags=re.DOTALL)
    finished = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "graphs"],
        input="".join(f"{line}\n" for line in LINES),
        capture_output=True,
        text=True,
        check=True,
    )
    greedy = [each.text for each in expected.translate([line for line in LINES if line], beam_size=1)]
    # SentencePiece decodes bytes that are not valid UTF-8 differently, so only letters are compared.
    assert [
        ascii_letters(line)
        for line, source in zip(finished.stdout.splitlines(), LINES, strict=True)
        if source
    ] == [ascii_letters(line) for line in greedy]
    with pytest.raises(ConfigurationError, match="cannot compute in int8"):
        Translator.load(tmp_path / "graphs", precision="int8")
    with pytest.raises(ModelFolderError, match="was exported"):
        read(tmp_path / "graphs").load_model()
    # A different model in the same folder replaces all of it.
    write_exported(tmp_path / "graphs", read(random_model_folder), "float32")
    assert not set(GRAPHS) & {file.name for file in (tmp_path / "graphs").iterdir()}


def test_int8_graphs_are_smaller_and_score_almost_like_the_model(random_model_folder, tmp_path) -> None:
    source = read(random_model_folder)
    differences = [write_onnx(tmp_path / name, source, name) for name in ("float32", "int8")]
    assert differences[0] < 1e-4 < differences[1] < 0.5
    sizes = [
        sum((tmp_path / name / graph).stat().st_size for graph in GRAPHS) for name in ("float32", "int8")
    ]
    assert sizes[1] < sizes[0]  # not by much: in so small a graph, names take most of the space
    translator = Translator.load(tmp_path / "int8")
    assert translator.precision == "int8"
    assert len(translator.translate(LINES)) == len(LINES)


def test_graphs_that_score_differently_are_not_written(random_model_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(folder_module.LARGEST_DIFFERENCE, "float32", -1.0)
    with pytest.raises(PluginError, match="do not score like the model"):
        write_onnx(tmp_path / "graphs", read(random_model_folder))
    assert not (tmp_path / "graphs").exists()


@pytest.mark.parametrize("missing", ["onnxruntime", "onnxscript"])
def test_a_missing_package_is_an_error_with_the_command_to_install_it(
    missing, random_model_folder, tmp_path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ResourceError, match=rf"{missing}, .*{re.escape(install_command('onnx'))}"):
        write_onnx(tmp_path / "graphs", read(random_model_folder))
