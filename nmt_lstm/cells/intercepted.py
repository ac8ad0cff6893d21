"""Standing between a cell and its caller, for records of what the cell is given and what it hands on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from torch import Tensor

from nmt_lstm.cells.cell import Cell, State

__all__ = ["Method", "intercepted"]

Method = Callable[[Tensor, State], tuple[Tensor, State]]
"""A cell's `forward` or `step`."""


@contextlib.contextmanager
def intercepted(
    cell: Cell,
    *,
    forward: Callable[[Method, Tensor, State], tuple[Tensor, State]],
    step: Callable[[Method, Tensor, State], tuple[Tensor, State]],
) -> Iterator[None]:
    """Let calls of a cell inside the with statement go through two functions.

    What the cell calls of itself meanwhile is its own: a sequence that is made of the cell's steps is one call.

    Args:
        cell: any cell.
        forward: called with the cell's own method, the inputs and the state in place of its `forward`.
        step: the same for its `step`.
    """
    inside = False

    def instead(function: Callable[[Method, Tensor, State], tuple[Tensor, State]], method: Method) -> Method:
        def call(inputs: Tensor, state: State) -> tuple[Tensor, State]:
            nonlocal inside
            if inside:
                return method(inputs, state)
            inside = True
            try:
                return function(method, inputs, state)
            finally:
                inside = False

        return call

    # Attributes of the instance hide the methods of its class.
    cell.__dict__.update(forward=instead(forward, cell.forward), step=instead(step, cell.step))
    try:
        yield
    finally:
        del cell.__dict__["forward"], cell.__dict__["step"]
