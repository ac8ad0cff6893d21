"""Check of any part: its step can be traced for any number of rows, as the export to ONNX does after a whole training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from nmt_lstm.errors import PluginError
from nmt_lstm.inference.onnx.exporter import trace
from nmt_lstm.testing.failure import ConformanceFailure

__all__ = ["check_traced"]

HINT = (
    "A Python branch or a number made of a tensor's value (if, bool, int, float, .item()) holds for one input only: use "
    "torch.where, clamp or a mask. Take sizes from .shape."
)


class _Call(nn.Module):
    """A function of tensors as a module: an exporter takes nothing else."""

    def __init__(self, part: nn.Module, call: Callable[..., Sequence[Tensor]]) -> None:
        super().__init__()
        self.part = part
        self.call = call

    def forward(self, first: Tensor, *others: Tensor) -> list[Tensor]:
        return list(self.call(first, *others))


def check_traced(
    part: nn.Module,
    call: Callable[..., Sequence[Tensor]],
    inputs: Sequence[Tensor],
    dimensions: Sequence[Mapping[int, str]],
) -> str:
    """Trace a function of tensors.

    Args:
        part: whose parameters it uses.
        call: takes the inputs, and returns tensors.
        inputs: examples, of different sizes in different dimensions.
        dimensions: for each input, which of its dimensions have any size; see `nmt_lstm.inference.onnx.exporter`.

    Raises:
        ConformanceFailure: it cannot be traced.
    """
    try:
        program = trace("it", _Call(part, call), inputs, dimensions)
    except PluginError as problem:
        cause = problem.__cause__ or problem
        reason = " ".join(str(cause).strip().partition("\n\n")[0].split())[:200]
        raise ConformanceFailure(f"it cannot be traced: {reason}", HINT) from cause
    operators = sum(node.op == "call_function" for node in program.graph.nodes)
    return f"a graph of {operators} operators for any number of rows"
