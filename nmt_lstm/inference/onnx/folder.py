"""Model folders with ONNX graphs: written in float32 or int8, and read for translation with onnxruntime."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Literal, TypeAlias

import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import GRAPHS, ModelFolder
from nmt_lstm.errors import PluginError, ResourceError
from nmt_lstm.extras import install_command
from nmt_lstm.inference.onnx.exporter import silence
from nmt_lstm.inference.onnx.graphs import OnnxGraphs, make_onnx_graphs
from nmt_lstm.inference.onnx.model import OnnxModel, require_onnxruntime
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.text.special_pieces import BEGIN, SPECIAL_PIECES

__all__ = ["ONNX", "OnnxPrecision", "load_onnx", "write_onnx"]

OnnxPrecision: TypeAlias = Literal["float32", "int8"]

ONNX = "onnx"
"""Start of "exported" in the manifest of such a folder; the precision follows."""
# The largest mean difference of log-probabilities from the trained model, in nats.
LARGEST_DIFFERENCE = {"float32": 1e-4, "int8": 0.5}
PROBE_LENGTHS = (1, 2, 3, 9, 20, 31)
PROBE_STEPS = 8


def write_onnx(folder: str | Path, source: ModelFolder, precision: OnnxPrecision = "float32") -> float:
    """Write a trained model as ONNX graphs, after comparing their scores of random sentences with the model's.

    Args:
        folder: where to write: a new or empty folder, or a model folder, whose model is replaced.
        source: the trained model's folder.
        precision: of the products.

    Returns:
        The mean difference of log-probabilities from the trained model's, in nats.

    Raises:
        ModelFolderError: `source` is an exported folder, or `folder` belongs to another program.
        PluginError: an encoder, cell or attention cannot be exported, or its graph computes something else.
        ResourceError: onnxscript or onnxruntime is not installed.
        OSError: the folder is not writable.
    """
    require_onnxruntime()
    if importlib.util.find_spec("onnxscript") is None:
        raise ResourceError(
            f"exporting ONNX graphs needs onnxscript, which is not installed: {install_command('onnx')}"
        )
    model = source.load_model()
    graphs = make_onnx_graphs(model)
    if precision == "int8":
        graphs = OnnxGraphs(*map(_quantize, graphs))
    difference = mean_difference(model, OnnxModel(graphs.encoder, graphs.decoder), source)
    if not difference <= LARGEST_DIFFERENCE[precision]:  # also if it is NaN
        raise PluginError(
            f"the graphs of '{source.folder}' do not score like the model: log-probabilities differ by "
            f"{difference:.2g} on average, and at most {LARGEST_DIFFERENCE[precision]:g} is allowed in {precision}. Check "
            f"with 'nmt-lstm plugins check' whether a cell's step differs from its forward."
        )
    model_folder.write(
        folder,
        run=source.run,
        subwords=source.subwords,
        model_state=model.state_dict(),
        metrics=source.metrics,
        exported=f"{ONNX} {precision}",
        graphs=dict(zip(GRAPHS, graphs, strict=True)),
    )
    return difference


def _quantize(graph: bytes) -> bytes:
    """Return a graph with int8 weights, one scale per output of a product; the products' inputs are quantized at run time."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, silence():
        path = Path(folder) / "graph.onnx"
        quantize_dynamic(
            onnx.load_model_from_string(graph),
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            # Cells are in subgraphs; the products of attention have no weights.
            extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
        )
        return path.read_bytes()


def load_onnx(folder: ModelFolder) -> OnnxModel:
    """Return the model of a folder with graphs.

    Raises:
        ResourceError: onnxruntime is not installed.
        ModelFolderError: onnxruntime cannot load a graph.
    """
    encoder, decoder = (folder.folder / name for name in GRAPHS)
    return OnnxModel(encoder, decoder)


@torch.no_grad()
def mean_difference(model: Seq2Seq, other: OnnxModel, folder: ModelFolder) -> float:
    """Return the mean difference of log-probabilities, in nats, over sentences of random pieces."""
    sizes = folder.subwords.source.size, folder.subwords.target.size
    generator = torch.Generator().manual_seed(1)

    def draw(size: int, count: int) -> torch.Tensor:
        return torch.randint(len(SPECIAL_PIECES), size, (count,), generator=generator)

    source = source_batch([draw(sizes[0], length).tolist() for length in PROBE_LENGTHS])
    states = model.start(model.encode(source)), other.start(other.encode(source))
    previous = torch.full((len(PROBE_LENGTHS),), BEGIN)
    differences = []
    for _ in range(PROBE_STEPS):
        steps = model.step(previous, states[0]), other.step(previous, states[1])
        differences.append((steps[0].logits.log_softmax(-1) - steps[1].logits).abs().mean())
        states = steps[0].state, steps[1].state
        previous = draw(sizes[1], len(PROBE_LENGTHS))
    return torch.stack(differences).mean().item()
