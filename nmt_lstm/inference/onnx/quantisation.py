"""ONNX graphs with int8 weights, by onnxruntime's own quantiser."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nmt_lstm.inference.onnx.exporter import quiet
from nmt_lstm.inference.onnx.graphs import OnnxGraphs

__all__ = ["quantised"]


def quantised(graphs: OnnxGraphs) -> OnnxGraphs:
    """Return the graphs with the weights of products in int8, each output with its scale; inputs are quantised as they come.

    Raises:
        ImportError: ``onnx`` or ``onnxruntime`` is not installed.
    """
    return OnnxGraphs(*map(_quantised, graphs))


def _quantised(graph: bytes) -> bytes:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "graph.onnx"
        quantize_dynamic(
            onnx.load_model_from_string(graph),
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            # Cells stand in subgraphs; attention's products have no weights.
            extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
        )
        return path.read_bytes()
