"""Recording the arguments that a model's cells are called with while it reads a source and a target."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.cells.intercepted import Method, intercepted
from nmt_lstm.lab.inspection.cell_trace import Call

__all__ = ["captured"]


@contextlib.contextmanager
def captured(cells: Sequence[Cell]) -> Iterator[list[list[Call]]]:
    """Note the calls of each cell inside the with statement, in the order of the cells.

    A sequence is one call, a step is another; a cell whose sequence is made of its own steps counts once.
    """
    calls: list[list[Call]] = [[] for _ in cells]
    with contextlib.ExitStack() as stack:
        for cell, own in zip(cells, calls, strict=True):
            stack.enter_context(_noting(cell, own))
        yield calls


def _noting(cell: Cell, calls: list[Call]) -> contextlib.AbstractContextManager[None]:
    def noted(method: Method, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        sequence = inputs if inputs.dim() == 3 else inputs[:, None]
        calls.append(Call(sequence.detach(), tuple(part.detach() for part in state)))
        return method(inputs, state)

    return intercepted(cell, forward=noted, step=noted)
