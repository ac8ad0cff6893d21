"""Model folders of ONNX graphs: written, and read for translation by onnxruntime."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal, TypeAlias

import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import GRAPHS, ModelFolder
from nmt_lstm.errors import PluginError, ResourceError
from nmt_lstm.extras import install_command
from nmt_lstm.inference.onnx.graphs import make_onnx_graphs
from nmt_lstm.inference.onnx.model import OnnxModel, require_onnxruntime
from nmt_lstm.inference.onnx.quantisation import quantised
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.text.special_pieces import BEGIN, SPECIAL_PIECES

__all__ = ["ONNX", "OnnxPrecision", "load_onnx", "write_onnx"]

OnnxPrecision: TypeAlias = Literal["float32", "int8"]

ONNX = "onnx"
"""What the manifest says of such a folder, and then its precision."""
# On average, of log-probabilities, in nats.
ALLOWED = {"float32": 1e-4, "int8": 0.5}
PROBE_LENGTHS = (1, 2, 3, 9, 20, 31)
PROBE_STEPS = 8


def write_onnx(folder: str | Path, source: ModelFolder, precision: OnnxPrecision = "float32") -> float:
    """Write a trained model as ONNX graphs, after onnxruntime scored made-up sentences by them.

    Args:
        folder: to write; new, empty, or a model folder, whose model is replaced.
        source: the trained model's folder.
        precision: of the products.

    Returns:
        The mean difference of log-probabilities from the trained model's, in nats.

    Raises:
        ModelFolderError: the source is exported itself, or `folder` belongs to another program.
        PluginError: a cell or attention cannot be exported, or computes otherwise than before.
        ResourceError: onnxscript or onnxruntime is not installed.
        OSError: it cannot be written.
    """
    require_onnxruntime()
    if importlib.util.find_spec("onnxscript") is None:
        raise ResourceError(
            f"graphs are made by onnxscript, which is not installed: {install_command('onnx')}"
        )
    model = source.load_model()
    graphs = make_onnx_graphs(model)
    if precision == "int8":
        graphs = quantised(graphs)
    difference = mean_difference(model, OnnxModel(graphs.encoder, graphs.decoder), source)
    if not difference <= ALLOWED[precision]:  # NaN is larger too
        raise PluginError(
            f"the graphs of '{source.folder}' score otherwise than the model: log-probabilities differ by "
            f"{difference:.2g} on average; {ALLOWED[precision]:g} is allowed in {precision}. Does a cell's step differ "
            f"from its forward? See: nmt-lstm plugins check."
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


def load_onnx(folder: ModelFolder) -> OnnxModel:
    """Return the model of a folder of graphs.

    Raises:
        ResourceError: onnxruntime is not installed.
        ModelFolderError: onnxruntime cannot load a graph.
    """
    encoder, decoder = (folder.folder / name for name in GRAPHS)
    return OnnxModel(encoder, decoder)


@torch.no_grad()
def mean_difference(model: Seq2Seq, other: OnnxModel, folder: ModelFolder) -> float:
    """Return the mean difference of log-probabilities, in nats, over sentences of pieces drawn at random."""
    sizes = folder.subwords.source.size, folder.subwords.target.size
    generator = torch.Generator().manual_seed(1)

    def drawn(size: int, count: int) -> torch.Tensor:
        return torch.randint(len(SPECIAL_PIECES), size, (count,), generator=generator)

    source = source_batch([drawn(sizes[0], length).tolist() for length in PROBE_LENGTHS])
    states = model.start(model.encode(source)), other.start(other.encode(source))
    previous = torch.full((len(PROBE_LENGTHS),), BEGIN)
    differences = []
    for _ in range(PROBE_STEPS):
        steps = model.step(previous, states[0]), other.step(previous, states[1])
        differences.append((steps[0].logits.log_softmax(-1) - steps[1].logits).abs().mean())
        states = steps[0].state, steps[1].state
        previous = drawn(sizes[1], len(PROBE_LENGTHS))
    return torch.stack(differences).mean().item()
