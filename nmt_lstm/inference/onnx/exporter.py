"""PyTorch's ONNX exporter, called for one module with named tensors whose batch and source sizes are free."""

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

__all__ = ["BATCH", "SOURCE", "contents", "exported", "quiet", "traced"]

BATCH, SOURCE = "batch", "source"


def exported(
    what: str,
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    dimensions: Sequence[Mapping[int, str]],
    outputs: Sequence[str],
) -> onnx_ir.Model:
    """Return a module's graph.

    Args:
        what: the module is, for messages.
        module: takes one tensor, then any number.
        inputs: examples of two rows, by the names that the graph gives them.
        dimensions: for each input, which of its dimensions are `BATCH` or `SOURCE`.
        outputs: names.

    Raises:
        PluginError: it cannot be traced, or only for one size.
    """
    program = traced(what, module, list(inputs.values()), dimensions)
    try:
        with quiet(), torch.enable_grad():
            written = torch.onnx.export(
                program,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamo=True,
                verbose=False,
            )
    except Exception as problem:
        raise _refused(what, problem) from problem
    assert written is not None
    return written.model


def traced(
    what: str, module: nn.Module, inputs: Sequence[Tensor], dimensions: Sequence[Mapping[int, str]]
) -> torch.export.ExportedProgram:
    """Return a module's trace for any number of rows and source positions; arguments as in `exported`.

    Raises:
        PluginError: it cannot be traced, or only for one size.
    """
    names = {BATCH: torch.export.Dim(BATCH), SOURCE: torch.export.Dim(SOURCE)}
    shapes: list[Any] = [{place: names[name] for place, name in each.items()} for each in dimensions]
    try:
        # Without gradients some parts look at sizes, so that no row's result depends on them.
        with quiet(), torch.enable_grad():
            return torch.export.export(
                module.eval(),
                tuple(inputs),
                dynamic_shapes=(shapes[0], tuple(shapes[1:])),
                strict=False,
            )
    except Exception as problem:  # tracing fails in as many ways as there are programs
        raise _refused(what, problem) from problem


def _refused(what: str, problem: Exception) -> PluginError:
    # PyTorch puts its reason first, and dumps of graphs and stacks behind it.
    reason = " ".join(str(problem).strip().partition("\n\n")[0].split())[:300]
    return PluginError(
        f"{what} cannot be exported to ONNX: {reason}; its step must be made of PyTorch operators, take sizes from .shape "
        f"and not by len(), and not ask a tensor for its values, as 'if x.max() > 1' does: use torch.where. "
        f"'nmt-lstm plugins check' tells it before training."
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what exporter and quantiser say of their own insides off the terminal."""
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


def contents(model: onnx_ir.Model) -> bytes:
    """Return what a graph's file holds."""
    import onnx_ir as ir

    serialised: bytes = ir.to_proto(model).SerializeToString()
    return serialised
