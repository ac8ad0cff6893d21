"""What one cell did along a sequence: gates, states, and how much of its memory each step kept and wrote.

Shapes: T positions, H hidden width. One sentence at a time, so there is no batch dimension.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.cells.gate_record import record_gates
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import Products, StepwiseCell
from nmt_lstm.recurrence.recurrence import Recurrence, Tensors

__all__ = ["Call", "CellTrace", "trace_cell"]

NamedCell = GatedCell | StepwiseCell
_SHARES = frozenset({"sigmoid", "hardsigmoid"})


@dataclass(frozen=True)
class Call:
    """One call of a cell, as it was made inside a model."""

    inputs: Tensor
    """(1, T, input_size); in a step whose rows are positions, (T, 1, input_size)."""
    state: State
    """The state before the first position, each (1, width); or before each position, (T, width)."""


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

    @property
    def memory_parts(self) -> dict[str, Tensor]:
        """What of the memory is kept, what is written, and their sum, each (T, H), where they are known."""
        parts = {"kept": self.kept, "written": self.written, "memory": self.after}
        return {name: tensor for name, tensor in parts.items() if tensor is not None}

    def is_share(self, gate: str) -> bool:
        """Return whether the values of a gate lie between 0, closed, and 1, open."""
        return self.functions[gate] in _SHARES

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
    inputs = torch.cat([call.inputs[0] for call in calls])
    before = _states_before(cell, calls)
    # With the states known, all positions are rows of a single step.
    with _watched(inner) as watch, torch.enable_grad():
        outputs, after = cell.step(inputs, before)
    memory = _memory_name(cell, inner)
    gates, functions = _gates(inner, watch.call)
    return CellTrace(
        gates=gates,
        functions=functions,
        states={name: state.detach() for name, state in zip(cell.state_sizes, after, strict=True)},
        outputs=outputs.detach(),
        memory=memory,
        before=before[list(cell.state_sizes).index(memory)],
        retention=watch.retention,
    )


def _named_cell(cell: Cell) -> NamedCell | None:
    """Return the cell that names gates: the cell itself, or the first one inside it."""
    return next((part for part in cell.modules() if isinstance(part, NamedCell)), None)


def _memory_name(cell: Cell, inner: NamedCell | None) -> str:
    """Return the state that is called "cell", as in an LSTM; otherwise the first."""
    names = list(cell.state_sizes)
    inside = list(inner.state_sizes) if inner is not None else names
    return next((name for name in names if name == "cell" and name in inside), names[0])


def _states_before(cell: Cell, calls: Sequence[Call]) -> State:
    """Return the state before each position, each part (T, width)."""
    states = []
    with torch.no_grad():
        for call in calls:
            state = call.state
            for position in call.inputs.unbind(1):
                states.append(state)
                _, state = cell.step(position, state)
    return tuple(torch.cat(parts) for parts in zip(*states, strict=True))


def _gates(inner: NamedCell | None, call: Call | None) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the gates, each (T, H), and their functions, of a step whose rows are positions."""
    if inner is None or call is None:
        return {}, {}
    record = record_gates(inner, call.inputs, call.state)
    return {name: record.gates[name][:, 0] for name in inner.gates}, dict(record.functions)


class _Watch:
    """What reached the pointwise function of a cell in one step; the positions are its rows."""

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
    if isinstance(cell, GatedCell):
        name, method = "step_by", _watched_step_by(cell, watch)
    else:
        name, method = "step", _watched_step(cell, watch)
    # An attribute of the instance hides the method of its class, also for a wrapper that calls it.
    cell.__dict__[name] = method
    try:
        yield watch
    finally:
        del cell.__dict__[name]


def _watched_step_by(cell: GatedCell, watch: _Watch) -> Callable[..., tuple[Tensor, State]]:
    original = cell.step_by

    def step_by(recurrence: Recurrence, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        watch.call = Call(inputs.detach()[:, None], state)

        def update(x: Tensors, h: Tensors, old: State, noise: Tensors) -> tuple[Tensor, State]:
            leaves = _leaves(old)
            output, new = recurrence.update(x, h, leaves, noise)
            watch.retention = _derivative(cell, new, leaves)
            return output, new

        return original(recurrence._replace(update=update), inputs, state)

    return step_by


def _watched_step(cell: StepwiseCell, watch: _Watch) -> Callable[..., tuple[Tensor, State]]:
    original, advance = cell.step, cell.advance

    def watched(x: Any, products: Products, old: State) -> State:
        # What goes through a product counts as a gate, not as memory that is kept.
        constant = {
            key: (lambda inputs, product=product: tuple(part.detach() for part in product(inputs)))
            for key, product in products.items()
        }
        leaves = _leaves(old)
        new = advance(x, constant, leaves)
        watch.retention = _derivative(cell, new if cell.output_is_state else new[1:], leaves)
        return new

    def step(inputs: Tensor, state: State) -> tuple[Tensor, State]:
        watch.call = Call(inputs.detach()[:, None], state)
        cell.__dict__["advance"] = watched
        try:
            return original(inputs, state)
        finally:
            del cell.__dict__["advance"]

    return step


def _leaves(state: State) -> State:
    return tuple(part.detach().requires_grad_() for part in state)


def _derivative(cell: NamedCell, new: State, old: State) -> Tensor:
    """Return the derivative (T, H) of each unit of the memory with respect to the same unit before.

    The update is pointwise, so the gradient of the sum over units holds these derivatives, one for each unit.
    """
    place = list(cell.state_sizes).index(_memory_name(cell, cell))
    if not new[place].requires_grad:
        return torch.zeros_like(old[place])
    derivatives: Sequence[Tensor | None] = torch.autograd.grad(
        new[place].sum(), old[place], retain_graph=True, allow_unused=True
    )
    return torch.zeros_like(old[place]) if derivatives[0] is None else derivatives[0].detach()
