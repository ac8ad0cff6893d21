"""Check that a step can be traced for any number of rows, before the export to ONNX fails after training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from nmt_lstm.errors import PluginError
from nmt_lstm.inference.onnx.exporter import trace
from nmt_lstm.testing.failure import ConformanceFailure

__all__ = ["check_traced"]

HINT = (
    "A trace contains Python branches and numbers that depend on tensor values (if, bool, int, float, .item()) for one "
    "input only: use torch.where, clamp or a mask, and take sizes from .shape."
)


class _Call(nn.Module):
    """A function of tensors as a module, which the exporter requires."""

    def __init__(self, module: nn.Module, call: Callable[..., Sequence[Tensor]]) -> None:
        super().__init__()
        self.module = module
        self.call = call

    def forward(self, first: Tensor, *others: Tensor) -> list[Tensor]:
        return list(self.call(first, *others))


def check_traced(
    module: nn.Module,
    call: Callable[..., Sequence[Tensor]],
    inputs: Sequence[Tensor],
    dimensions: Sequence[Mapping[int, str]],
) -> str:
    """Trace a function of tensors.

    Args:
        module: whose parameters the function uses.
        call: the function; it takes the inputs and returns tensors.
        inputs: examples, with different sizes in different dimensions.
        dimensions: for each input, which of its dimensions vary; see `nmt_lstm.inference.onnx.exporter`.

    Raises:
        ConformanceFailure: it cannot be traced.
    """
    try:
        program = trace("it", _Call(module, call), inputs, dimensions)
    except PluginError as problem:
        cause = problem.__cause__ or problem
        reason = " ".join(str(cause).strip().partition("\n\n")[0].split())[:200]
        raise ConformanceFailure(f"the step cannot be traced: {reason}", HINT) from cause
    operators = sum(node.op == "call_function" for node in program.graph.nodes)
    return f"a graph of {operators} operators for any number of rows"
