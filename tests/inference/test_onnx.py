"""ONNX graphs: what onnxruntime makes of them, in search too, and what cannot be exported says why."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.checkpoint.model_folder import GRAPHS, read
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, ModelFolderError, PluginError, ResourceError
from nmt_lstm.extras import install_command
from nmt_lstm.inference.exported import write_exported
from nmt_lstm.inference.onnx import folder as folder_module
from nmt_lstm.inference.onnx.folder import write_onnx
from nmt_lstm.inference.onnx.graphs import make_onnx_graphs
from nmt_lstm.inference.onnx.model import OnnxModel
from nmt_lstm.inference.translator import Translator
from nmt_lstm.registry import CELLS
from nmt_lstm.search.beam_search import beam_search

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

LINES = ["eins zwei .", "drei vier fünf sechs .", "", "sieben", "acht neun null eins zwei ."]


class Leaky(GatedCell):
    """One gate, two states, and parameters of its own, each row of which is taken apart."""

    gates = ("candidate",)
    state = ("hidden", "slow")

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.rates = nn.Parameter(torch.rand(2, hidden_size))

    def update(self, x, h, state):
        fast, slow = (rate.sigmoid() for rate in self.rates)
        mixed = fast * state[0] + (1 - fast) * torch.tanh(x.candidate + h.candidate + state[1])
        return mixed, torch.lerp(state[1], mixed, slow)


class Counting(Leaky):
    """Takes the number of rows as a number."""

    def update(self, x, h, state):
        mixed, slow = super().update(x, h, state)
        return mixed + torch.zeros(len(mixed), 1), slow


class Branching(Leaky):
    """Asks a tensor for its values."""

    def update(self, x, h, state):
        mixed, slow = super().update(x, h, state)
        return (mixed if bool(mixed.sum() > 0) else -mixed), slow


class Wavering(Leaky):
    """Takes steps that differ from its unrolled loop."""

    def step(self, inputs, state):
        output, new = super().step(inputs, state)
        return output + 0.1, (new[0] + 0.1, *new[1:])


def letters(text: str) -> str:
    return "".join(character for character in text if character.isascii() and not character.isspace())


@pytest.fixture(autouse=True)
def cells():
    for cell in (Leaky, Counting, Branching, Wavering):
        CELLS.register(cell.__name__.lower())(cell)


NETWORKS = {
    "a cell of one's own": {"cell": "leaky"},
    "two layers, feeding, additive": {
        "cell": "lstm",
        "attention": "additive",
        "encoder": {"layers": 2, "residual": True},
        "decoder": {"layers": 2, "wiring": "input_feeding", "residual": True},
    },
    "one direction, conditional": {
        "cell": "gru",
        "attention": "multi_head",
        "encoder": {"directions": "unidirectional"},
        "decoder": {"wiring": "conditional"},
    },
}


@pytest.mark.parametrize("network", NETWORKS)
def test_onnxruntime_scores_and_finds_what_the_model_does(network, make_model, sources, walked) -> None:
    model = make_model(**NETWORKS[network])
    graphs = make_onnx_graphs(model)
    other = OnnxModel(graphs.encoder, graphs.decoder)
    (expected, paid), (found, attention) = walked(model, sources), walked(other, sources)
    assert (found - expected.log_softmax(-1)).abs().max() < 1e-4
    assert (attention - paid).abs().max() < 1e-4
    settings = SearchSettings(beam_size=3)
    with torch.no_grad():
        ours, theirs = (beam_search(each, sources, settings) for each in (model, other))
    for one, two in zip(ours, theirs, strict=True):
        assert [each.pieces for each in one] == [each.pieces for each in two]
        assert [each.score for each in one] == pytest.approx([each.score for each in two], abs=1e-4)


def test_a_folder_of_graphs_translates_as_the_model(random_model_folder, tmp_path) -> None:
    difference = write_onnx(tmp_path / "graphs", read(random_model_folder))
    assert 0 <= difference < 1e-3
    names = {file.name for file in (tmp_path / "graphs").iterdir()}
    assert set(GRAPHS) < names
    assert "model.safetensors" not in names
    expected, found = (
        Translator.load(each, device="cpu") for each in (random_model_folder, tmp_path / "graphs")
    )
    assert [each.text for each in found.translate(LINES)] == [each.text for each in expected.translate(LINES)]
    scores = [[each.log_probability for each in one.score(LINES, LINES[::-1])] for one in (expected, found)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-2)
    both = Translator.load([random_model_folder, tmp_path / "graphs"], device="cpu")
    assert [each.text for each in both.translate(LINES)] == [each.text for each in expected.translate(LINES)]
    # The program of the documentation, which knows nothing of ours.
    guide = Path(__file__).parents[2] / "docs" / "onnx.md"
    (program,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), flags=re.DOTALL)
    finished = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "graphs"],
        input="".join(f"{line}\n" for line in LINES),
        capture_output=True,
        text=True,
        check=True,
    )
    greedy = [each.text for each in expected.translate([line for line in LINES if line], beam_size=1)]
    # SentencePiece and we write bytes that are no text each in our own way.
    assert [
        letters(line) for line, source in zip(finished.stdout.splitlines(), LINES, strict=True) if source
    ] == [letters(line) for line in greedy]
    with pytest.raises(ConfigurationError, match="cannot compute in int8"):
        Translator.load(tmp_path / "graphs", precision="int8")
    with pytest.raises(ModelFolderError, match="was exported"):
        read(tmp_path / "graphs").load_model()
    # Another model in the same place leaves nothing of the first.
    write_exported(tmp_path / "graphs", read(random_model_folder), "float32")
    assert not set(GRAPHS) & {file.name for file in (tmp_path / "graphs").iterdir()}


def test_int8_graphs_are_smaller_and_score_nearly_as_the_model(random_model_folder, tmp_path) -> None:
    source = read(random_model_folder)
    differences = [write_onnx(tmp_path / name, source, name) for name in ("float32", "int8")]
    assert differences[0] < 1e-4 < differences[1] < 0.5
    sizes = [
        sum((tmp_path / name / graph).stat().st_size for graph in GRAPHS) for name in ("float32", "int8")
    ]
    assert sizes[1] < sizes[0]  # most of so small a graph are names
    translator = Translator.load(tmp_path / "int8")
    assert translator.precision == "int8"
    assert len(translator.translate(LINES)) == len(LINES)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "counting",
            r"the cell Counting cannot be exported to ONNX: .*take sizes from \.shape and not by len",
        ),
        ("branching", "the cell Branching cannot be exported to ONNX: .*and not ask a tensor for its values"),
    ],
)
def test_cells_that_cannot_be_traced_are_named(cell, message, make_model) -> None:
    with pytest.raises(PluginError, match=message):
        make_onnx_graphs(make_model(cell=cell))


def test_graphs_that_score_otherwise_are_not_written(random_model_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(folder_module.ALLOWED, "float32", -1.0)
    with pytest.raises(PluginError, match=r"otherwise than the model: .* in float32.*nmt-lstm plugins check"):
        write_onnx(tmp_path / "graphs", read(random_model_folder))
    assert not (tmp_path / "graphs").exists()


def test_a_step_that_differs_from_the_unrolled_loop_shows(make_model, walked) -> None:
    model = make_model(cell="wavering")
    graphs = make_onnx_graphs(model)
    expected, _ = walked(model, source_batch([[5, 6, 7]]))
    found, _ = walked(OnnxModel(graphs.encoder, graphs.decoder), source_batch([[5, 6, 7]]))
    assert (found - expected.log_softmax(-1)).abs().mean() > folder_module.ALLOWED["float32"]


@pytest.mark.parametrize("missing", ["onnxruntime", "onnxscript"])
def test_what_is_not_installed_is_named(missing, random_model_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(
        ResourceError, match=rf"{missing}, which is not installed: {re.escape(install_command('onnx'))}"
    ):
        write_onnx(tmp_path / "graphs", read(random_model_folder))


def test_graphs_that_onnxruntime_cannot_load(tmp_path) -> None:
    path = tmp_path / "encoder.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(ModelFolderError, match=r"cannot load '.*encoder.onnx': .*export the model again"):
        OnnxModel(path, path)
