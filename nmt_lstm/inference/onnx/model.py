"""ONNX graphs run by onnxruntime, as search sees them."""

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
    """The tensors that a decoder step takes, R rows each: a value."""

    memory: tuple[Tensor, ...]
    """What attention keeps of the sentences."""
    cells: tuple[Tensor, ...]
    """What each step changes."""


class OnnxModel:
    """An encoder and a decoder step run by onnxruntime on a processor: `Searchable`.

    Args:
        encoder: its file, or what is in it.
        decoder: the same.

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
        """Pickle the graphs, or where their files are: sessions cannot be moved."""
        return type(self), self._graphs

    def encode(self, source: SourceBatch) -> OnnxState:
        """Read source sentences."""
        given = {"pieces": source.pieces, "lengths": source.lengths}
        found = _run(self.encoder, self._names, given)
        return OnnxState(found[: len(self._memory)], found[len(self._memory) :])

    def start(self, encoded: OnnxState) -> OnnxState:
        """Return the state before the first piece, one row per sentence."""
        return encoded

    def step(self, previous: Tensor, state: OnnxState) -> Step[OnnxState]:
        """Read the previous pieces (R,) and score the next ones."""
        given = dict(zip(self._names, (*state.memory, *state.cells), strict=True))
        logits, attention, *cells = _run(self.decoder, self._outputs, {"previous": previous, **given})
        return Step(logits, attention, state._replace(cells=tuple(cells)), normalised=True)

    def reorder(self, state: OnnxState, rows: Tensor, sentences: Tensor | None = None) -> OnnxState:
        """Return the state of the rows (R',), sentence by sentence; `sentences` (S') are those that stay, or None."""
        same = sentences is None and len(rows) == len(state.cells[0])
        # As many hypotheses of the same sentences: what attention keeps is the same in each row.
        memory = state.memory if same else tuple(part.index_select(0, rows) for part in state.memory)
        return OnnxState(memory, tuple(part.index_select(0, rows) for part in state.cells))


def require_onnxruntime() -> None:
    """Raise ResourceError unless onnxruntime is installed."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as problem:
        raise ResourceError(
            f"ONNX graphs are run by onnxruntime, which is not installed: {install_command('onnx')}"
        ) from problem


def _session(graph: Path | bytes) -> onnxruntime.InferenceSession:
    require_onnxruntime()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors alone
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # onnxruntime's own errors have no common base
        what = f"'{graph}'" if isinstance(graph, Path) else "the exported graph"
        raise ModelFolderError(
            f"onnxruntime {onnxruntime.__version__} cannot load {what}: {' '.join(str(problem).split())[:300]}; "
            f"export the model again."
        ) from problem


def _run(
    session: onnxruntime.InferenceSession, outputs: list[str], given: dict[str, Tensor]
) -> tuple[Tensor, ...]:
    arrays: dict[str, Any] = {name: tensor.contiguous().numpy() for name, tensor in given.items()}
    return tuple(torch.from_numpy(array) for array in session.run(outputs, arrays))
