"""What one cell did along a sequence: gates, states, and how much of its memory each step kept and wrote.

Shapes: T positions, H hidden width. One sentence at a time, so there is no batch dimension.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.cells.gate_record import record_gates
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.recurrence.recurrence import Tensors, Update

__all__ = ["Call", "CellTrace", "trace_cell"]

NamedCell = GatedCell | StepwiseCell


@dataclass(frozen=True)
class Call:
    """One call of a cell, as it was made inside a model."""

    inputs: Tensor
    """(1, T, input_size)."""
    state: State
    """The state before the first position, each (1, width)."""


@dataclass(frozen=True)
class CellTrace:
    """What a cell did along a sequence."""

    gates: dict[str, Tensor]
    """Values of the gates by name, each (T, H); empty for a cell that names no gates."""
    functions: dict[str, str]
    """The function that made each gate, such as "sigmoid"; "" for a gate that is used as it is."""
    states: dict[str, Tensor]
    """The states after each position by name, each (T, width)."""
    outputs: Tensor
    """(T, output width)."""
    memory: str
    """Name of the state that carries the memory: an LSTM's cell state, a GRU's hidden state."""
    before: Tensor
    """(T, H): the memory before each position."""
    retention: Tensor | None
    """(T, H): derivative of the memory with respect to the memory before, gates held constant: what the LSTM's forget gate
    says, and a GRU's update gate. None for a cell that gives no update."""

    @property
    def after(self) -> Tensor:
        """(T, H): the memory after each position."""
        return self.states[self.memory]

    @property
    def kept(self) -> Tensor | None:
        """(T, H): the part of the memory that comes from the memory before."""
        return None if self.retention is None else self.retention * self.before

    @property
    def written(self) -> Tensor | None:
        """(T, H): the part of the memory that this position wrote; kept + written = memory."""
        return None if self.retention is None else self.after - self.retention * self.before

    def reversed(self) -> CellTrace:
        """Return the same with positions in the opposite order: of a backward cell, in the order of the text."""

        def turned(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor.flip(0) for name, tensor in tensors.items()}

        return dataclasses.replace(
            self,
            gates=turned(self.gates),
            states=turned(self.states),
            outputs=self.outputs.flip(0),
            before=self.before.flip(0),
            retention=None if self.retention is None else self.retention.flip(0),
        )


def trace_cell(cell: Cell, calls: Sequence[Call]) -> CellTrace:
    """Repeat the calls of a cell step by step and return what happened in it.

    A wrapper shows the gates of the cell inside it, with the states that the wrapper made of them.

    Args:
        cell: any cell.
        calls: as they were made, in the order of the positions.

    Raises:
        ValueError: there is no call.
    """
    if not calls:
        raise ValueError("A cell that was never called has no trace.")
    inner = _named_cell(cell)
    steps = [step for call in calls for step in _steps(cell, call, inner)]
    states = {
        name: torch.cat([step.states[number] for step in steps])
        for number, name in enumerate(cell.state_sizes)
    }
    memory = _memory_name(cell, inner)
    place = list(cell.state_sizes).index(memory)
    gates, functions = _gates(inner, steps)
    retentions = [step.retention for step in steps]
    known = [retention for retention in retentions if retention is not None]
    return CellTrace(
        gates=gates,
        functions=functions,
        states=states,
        outputs=torch.cat([step.output for step in steps]),
        memory=memory,
        before=torch.cat([step.before[place] for step in steps]),
        retention=torch.cat(known) if len(known) == len(steps) else None,
    )


@dataclass(frozen=True)
class _Step:
    """One position; every tensor is (1, width)."""

    output: Tensor
    before: State
    states: State
    inner: Call | None
    """What the cell with the gates was given."""
    retention: Tensor | None


def _named_cell(cell: Cell) -> NamedCell | None:
    """Return the cell that names gates: the cell itself, or the first one inside it."""
    return next((part for part in cell.modules() if isinstance(part, NamedCell)), None)


def _memory_name(cell: Cell, inner: NamedCell | None) -> str:
    """Return the state that is called "cell", as in an LSTM; otherwise the first."""
    names = list(cell.state_sizes)
    inside = list(inner.state_sizes) if inner is not None else names
    return next((name for name in names if name == "cell" and name in inside), names[0])


def _steps(cell: Cell, call: Call, inner: NamedCell | None) -> Iterator[_Step]:
    state = call.state
    for position in call.inputs.unbind(1):
        with _watched(inner) as watch, torch.enable_grad():
            output, new = cell.step(position, state)
        new = tuple(part.detach() for part in new)
        yield _Step(output.detach(), state, new, watch.call, watch.retention)
        state = new


def _gates(inner: NamedCell | None, steps: Sequence[_Step]) -> tuple[dict[str, Tensor], dict[str, str]]:
    calls = [step.inner for step in steps if step.inner is not None]
    if inner is None or len(calls) != len(steps):
        return {}, {}
    records = [record_gates(inner, call.inputs, call.state) for call in calls]
    gates = {name: torch.cat([record.gates[name][0] for record in records]) for name in inner.gates}
    return gates, dict(records[0].functions)


class _Watch:
    """What reached the pointwise function of a cell in one step."""

    def __init__(self) -> None:
        self.call: Call | None = None
        self.retention: Tensor | None = None


@contextlib.contextmanager
def _watched(cell: NamedCell | None) -> Iterator[_Watch]:
    """Note the input, the state and the retention of the memory in the next step of `cell`."""
    watch = _Watch()
    if cell is None:
        yield watch
        return
    # An attribute of the instance hides the method of its class, also for a wrapper that calls it.
    name = "step_by" if isinstance(cell, GatedCell) else "step"
    original = getattr(cell, name)

    def step_by(recurrence: Any, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        watch.call = Call(inputs.detach()[:, None], state)
        update = recurrence.update

        def watched(x: Tensors, h: Tensors, old: State, noise: Tensors) -> tuple[Tensor, State]:
            output, new, watch.retention = _with_retention(cell, update, x, h, old, noise)
            return output, new

        result: tuple[Tensor, State] = original(recurrence._replace(update=watched), inputs, state)
        return result

    def step(inputs: Tensor, state: State) -> tuple[Tensor, State]:
        watch.call = Call(inputs.detach()[:, None], state)
        advance = cell.advance  # type: ignore[union-attr]

        def watched(x: Any, products: Any, old: State) -> State:
            constant = {
                key: (lambda inputs, product=product: tuple(part.detach() for part in product(inputs)))
                for key, product in products.items()
            }
            leaves = tuple(part.detach().requires_grad_() for part in old)
            new: State = advance(x, constant, leaves)
            states = new if cell.output_is_state else new[1:]
            watch.retention = _derivative(cell, states, leaves)
            return new

        cell.__dict__["advance"] = watched
        try:
            result: tuple[Tensor, State] = original(inputs, state)
        finally:
            del cell.__dict__["advance"]
        return result

    cell.__dict__[name] = step_by if isinstance(cell, GatedCell) else step
    try:
        yield watch
    finally:
        del cell.__dict__[name]


def _with_retention(
    cell: NamedCell, update: Update, x: Tensors, h: Tensors, state: State, noise: Tensors
) -> tuple[Tensor, State, Tensor]:
    leaves = tuple(part.detach().requires_grad_() for part in state)
    output, new = update(x, h, leaves, noise)
    return output, new, _derivative(cell, new, leaves)


def _derivative(cell: NamedCell, new: State, old: State) -> Tensor:
    """Return the derivative (1, H) of each unit of the memory with respect to the same unit before.

    The update is pointwise, so the gradient of the sum over units holds these derivatives, one for each unit.
    """
    place = list(cell.state_sizes).index(_memory_name(cell, cell))
    if not new[place].requires_grad:
        return torch.zeros_like(old[place])
    (derivative,) = torch.autograd.grad(new[place].sum(), old[place], retain_graph=True, allow_unused=True)
    return torch.zeros_like(old[place]) if derivative is None else derivative.detach()
