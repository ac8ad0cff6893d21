"""The states and outputs of a cell by position, as nodes of the autograd graph, so that their gradients can be computed.

Shapes: B batch, P positions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.cells.intercepted import Method, intercepted

__all__ = ["StateRecord", "StepValues", "gradient_norms", "recorded_states"]

StepValues: TypeAlias = tuple[Tensor, ...]
"""What a step of a cell computes, each (B, width): its new state, after its output where that is not the first state."""

StateRecord: TypeAlias = list[StepValues]
"""P + 1 of them, in the order in which the cell reads: the state before the first position, then the values of each step."""


@contextlib.contextmanager
def recorded_states(cells: Sequence[Cell]) -> Iterator[list[StateRecord]]:
    """Record the states and outputs of cells inside the with statement, in the order of the cells.

    A fused sequence does not show its states, so the cells process sequences step by step here, with the same results but
    more slowly. Everything that depends on the state or output at a position depends on its recorded nodes.

    Args:
        cells: cells that do not contain each other, in evaluation mode, in which steps and sequences agree.
    """
    records: list[StateRecord] = [[] for _ in cells]
    with contextlib.ExitStack() as stack:
        for cell, record in zip(cells, records, strict=True):
            stack.enter_context(_recorded(cell, record))
        yield records


def _recorded(cell: Cell, record: StateRecord) -> contextlib.AbstractContextManager[None]:
    take = cell.step

    def step(method: Method, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        if not record:
            state = _nodes(state)
            record.append(state)
        output, state = method(inputs, state)
        state = _nodes(state)
        if cell.output_is_state:
            record.append(state)
            return state[0].to(output.dtype), state
        (output,) = _nodes((output,))
        record.append((output, *state))
        return output, state

    def forward(_method: Method, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        outputs = []
        for position in inputs.unbind(1):
            output, state = step(take, position, state)
            outputs.append(output)
        return torch.stack(outputs, 1), state

    return intercepted(cell, forward=forward, step=step)


def gradient_norms(
    outputs: Sequence[Tensor], states: Sequence[StepValues], *, errors: Sequence[Tensor] | None = None
) -> Tensor:
    """Return the norms (N, B) of gradients with respect to N entries of a record, sentence by sentence.

    The tensors of an entry count as one vector: the LSTM's hidden and cell state together. Gradients of states are products
    of the Jacobians of the steps, as analysed by Bengio et al. 1994 and Pascanu et al. 2013. The graph is retained.

    Args:
        outputs: the tensors to differentiate, with one row for each sentence, or sums over sentences.
        states: entries of `recorded_states`.
        errors: the gradients of the outputs, of the same shapes; None for scalars.
    """
    asked = [part for values in states for part in values if part.requires_grad]
    gradients = iter(
        torch.autograd.grad(
            outputs, asked, errors, retain_graph=True, allow_unused=True, materialize_grads=True
        )
    )
    norms = []
    for values in states:
        # In float64, because the squares of small gradients underflow in float32.
        own = [next(gradients).double().flatten(1) for part in values if part.requires_grad]
        rows = values[0].shape[0]
        norms.append(torch.cat(own, 1).norm(dim=1) if own else torch.zeros(rows, dtype=torch.float64))
    return torch.stack(norms)


def _nodes(parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return the same values as separate nodes, because a cell may return a tensor that is used elsewhere, too."""
    return tuple(_node(part) for part in parts)


def _node(part: Tensor) -> Tensor:
    if not part.is_floating_point():
        return part
    return (part if part.requires_grad else part.clone().requires_grad_()).clone()
