"""ONNX graphs that onnxruntime runs, with the interface that search needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.errors import ModelFolderError, ResourceError
from nmt_lstm.extras import install_command
from nmt_lstm.model.step import Step

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["OnnxModel", "OnnxState", "require_onnxruntime"]


class OnnxState(NamedTuple):
    """The tensors that a decoder step takes, with R rows each."""

    memory: tuple[Tensor, ...]
    """The memory of attention."""
    cells: tuple[Tensor, ...]
    """The tensors that each step changes."""


class OnnxModel:
    """An encoder and a decoder step that onnxruntime runs on a processor; implements `Searchable`.

    Args:
        encoder: its file, or the content of the file.
        decoder: likewise.

    Raises:
        ResourceError: onnxruntime is not installed.
        ModelFolderError: onnxruntime cannot load a graph.
    """

    def __init__(self, encoder: Path | bytes, decoder: Path | bytes) -> None:
        self._graphs = encoder, decoder
        self.encoder = _session(encoder)
        self.decoder = _session(decoder)
        names = [value.name for value in self.decoder.get_inputs()]
        self._memory = [name for name in names if name.startswith("memory.")]
        self._names = [*self._memory, *(name for name in names if name.startswith("state."))]
        self._outputs = ["log_probabilities", "attention"]
        self._outputs += [f"next_{name}" for name in self._names[len(self._memory) :]]

    def __reduce__(self) -> tuple[type[OnnxModel], tuple[Path | bytes, Path | bytes]]:
        """Pickle the graphs or the paths of their files, because sessions cannot be pickled."""
        return type(self), self._graphs

    def encode(self, source: SourceBatch) -> OnnxState:
        """Encode source sentences."""
        inputs = {"pieces": source.pieces, "lengths": source.lengths}
        state = _run(self.encoder, self._names, inputs)
        return OnnxState(state[: len(self._memory)], state[len(self._memory) :])

    def start(self, encoded: OnnxState) -> OnnxState:
        """Return the state before the first piece, one row per sentence."""
        return encoded

    def step(self, previous: Tensor, state: OnnxState) -> Step[OnnxState]:
        """Read the previous pieces (R,) and score the next ones: log-probabilities (R, V)."""
        inputs = dict(zip(self._names, (*state.memory, *state.cells), strict=True))
        logits, attention, *cells = _run(self.decoder, self._outputs, {"previous": previous, **inputs})
        return Step(logits, attention, state._replace(cells=tuple(cells)), normalised=True)

    def reorder(self, state: OnnxState, rows: Tensor, sentences: Tensor | None = None) -> OnnxState:
        """Return the state of rows (R',), grouped by sentence; `sentences` (B',) are the remaining ones, None for all."""
        same = sentences is None and len(rows) == len(state.cells[0])
        # With as many hypotheses of the same sentences, the memory is already the same in each row.
        memory = state.memory if same else tuple(tensor.index_select(0, rows) for tensor in state.memory)
        return OnnxState(memory, tuple(tensor.index_select(0, rows) for tensor in state.cells))


def require_onnxruntime() -> None:
    """Raise ResourceError unless onnxruntime is installed."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as problem:
        raise ResourceError(
            f"running ONNX graphs needs onnxruntime, which is not installed: {install_command('onnx')}"
        ) from problem


def _session(graph: Path | bytes) -> onnxruntime.InferenceSession:
    require_onnxruntime()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors only
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # onnxruntime's own errors have no common base
        name = f"'{graph}'" if isinstance(graph, Path) else "the exported graph"
        raise ModelFolderError(
            f"onnxruntime {onnxruntime.__version__} cannot load {name}: {' '.join(str(problem).split())[:300]}; "
            f"export the model again.",
            path=graph if isinstance(graph, Path) else None,
        ) from problem


def _run(
    session: onnxruntime.InferenceSession, outputs: list[str], inputs: dict[str, Tensor]
) -> tuple[Tensor, ...]:
    arrays: dict[str, Any] = {name: tensor.contiguous().numpy() for name, tensor in inputs.items()}
    return tuple(torch.from_numpy(array) for array in session.run(outputs, arrays))
