"""PyTorch's ONNX exporter, called for a module with named tensors and variable batch and source sizes."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nmt_lstm.errors import PluginError

if TYPE_CHECKING:
    import onnx_ir

__all__ = ["BATCH", "SOURCE", "export", "serialize", "silence", "trace"]

BATCH, SOURCE = "batch", "source"


def export(
    name: str,
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    dimensions: Sequence[Mapping[int, str]],
    outputs: Sequence[str],
) -> onnx_ir.Model:
    """Return a module's graph.

    Args:
        name: of the module, for error messages.
        module: takes one or more tensors.
        inputs: examples with two rows, by their names in the graph.
        dimensions: for each input, which of its dimensions are `BATCH` or `SOURCE`.
        outputs: names of the outputs.

    Raises:
        PluginError: it cannot be traced, or only for one size.
    """
    program = trace(name, module, list(inputs.values()), dimensions)
    try:
        with silence(), torch.enable_grad():
            exported = torch.onnx.export(
                program,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamo=True,
                verbose=False,
            )
    except Exception as problem:
        raise _export_error(name, problem) from problem
    assert exported is not None
    return exported.model


def trace(
    name: str, module: nn.Module, inputs: Sequence[Tensor], dimensions: Sequence[Mapping[int, str]]
) -> torch.export.ExportedProgram:
    """Return a module's trace for any number of rows and source positions; arguments as in `export`.

    Raises:
        PluginError: it cannot be traced, or only for one size.
    """
    names = {BATCH: torch.export.Dim(BATCH), SOURCE: torch.export.Dim(SOURCE)}
    shapes: list[Any] = [{index: names[size] for index, size in each.items()} for each in dimensions]
    try:
        # With gradients enabled: without them, some layers branch on the number of rows.
        with silence(), torch.enable_grad():
            return torch.export.export(
                module.eval(),
                tuple(inputs),
                dynamic_shapes=(shapes[0], tuple(shapes[1:])),
                strict=False,
            )
    except Exception as problem:  # tracing may raise any exception
        raise _export_error(name, problem) from problem


def _export_error(name: str, problem: Exception) -> PluginError:
    # PyTorch gives the reason first, then dumps of graphs and stacks.
    reason = " ".join(str(problem).strip().partition("\n\n")[0].split())[:300]
    return PluginError(
        f"{name} cannot be exported to ONNX: {reason}; it must consist of PyTorch operators, take sizes from .shape, "
        f"not len(), and not depend on the values of a tensor like 'if x.max() > 1': use torch.where. 'nmt-lstm plugins "
        f"check' detects this before training."
    )


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Context manager that silences the exporter and the quantizer, which print about their internals."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def serialize(model: onnx_ir.Model) -> bytes:
    """Return the content of a graph's file."""
    import onnx_ir as ir

    content: bytes = ir.to_proto(model).SerializeToString()
    return content
