"""Intercepting the calls of a cell, to record its arguments or its results."""

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
    """Route calls of a cell inside the with statement through two functions.

    Calls that the cell makes to itself are not intercepted: a sequence made of the cell's own steps is one call.

    Args:
        cell: any cell.
        forward: called instead of the cell's `forward`, with the original method, the inputs and the state.
        step: the same for `step`.
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
