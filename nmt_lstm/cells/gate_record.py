"""Recording the gates of a cell along a sequence, for inspection: any cell that names its gates, without changes to it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from nmt_lstm.cells.cell import Cell, State, check_sequence
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.recurrence.recurrence import Tensors

__all__ = ["GATE_FUNCTIONS", "GateRecord", "record_gates"]

GATE_FUNCTIONS: Mapping[str, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "exp": (0.0, float("inf")),
    "softplus": (0.0, float("inf")),
    "logsigmoid": (float("-inf"), 0.0),
    "sin": (-1.0, 1.0),
}
"""Functions that turn a pre-activation into a gate, and the range of each."""
_ALIASES = {"log_sigmoid": "logsigmoid"}
_PRODUCTS = frozenset({"mul", "addcmul", "addcdiv", "lerp", "where", "div", "true_divide"})


@dataclass(frozen=True)
class GateRecord:
    """Outputs, states and gates of a cell along a sequence: B sentences, T positions, H hidden width.

    Attributes:
        outputs: (B, T, output width).
        states: the states after each position, by name, each (B, T, state width).
        gates: the gates' values, by name, each (B, T, H): the result of the first of `GATE_FUNCTIONS` that the cell
            applies to the gate, or the pre-activation if the cell applies none.
        functions: the function of each gate, by name; "" if the cell applies none.
        unread: gates that the cell names but never uses.
    """

    outputs: Tensor
    states: dict[str, Tensor]
    gates: dict[str, Tensor]
    functions: dict[str, str]
    unread: tuple[str, ...]


class _Origin(NamedTuple):
    """The gates that a tensor was computed from."""

    gates: frozenset[str] = frozenset()
    """Gates of whose pre-activations it is a sum or a multiple."""
    activated: bool = False
    """Whether one of `GATE_FUNCTIONS` was applied on the way."""


class _GateTracer(TorchFunctionMode):
    """Follows pre-activations through one update, up to the functions that turn them into gates.

    Only the author's code determines which function makes a gate: the base class knows names and pre-activations. So the
    calls of torch's functions are traced, and each result gets the origin of its arguments.

    A gate that multiplies a different one's pre-activation passes no origin on: in
    ``tanh(x.candidate + reset * h.candidate)`` the result is the candidate. Nor is a pre-activation followed once it has
    been multiplied with an activated gate: the cell then uses it without a function.
    """

    def __init__(self, gates: Mapping[str, Tensors]) -> None:
        super().__init__()
        self.values: dict[str, tuple[str, Tensor]] = {}
        """By gate: the name of its function, and its value (B, H)."""
        self.read: set[str] = set()
        """Gates that were an argument of any function."""
        self._origins: MutableMapping[Tensor, _Origin] = WeakTensorKeyDictionary()
        for name, pre_activations in gates.items():
            for tensor in pre_activations:
                self._origins[tensor] = _Origin(frozenset([name]))

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        origins = [self._origin(tensor) for tensor in _tensors([*args, *(kwargs or {}).values()])]
        gates = frozenset[str]().union(*(origin.gates for origin in origins))
        activated = any(origin.activated for origin in origins)
        self.read |= gates
        name = getattr(function, "__name__", "").strip("_")
        name = _ALIASES.get(name, name)
        if name in GATE_FUNCTIONS and isinstance(result, Tensor):
            # A function of several gates makes none of them, unless all but one were made before.
            open_gates = gates - self.values.keys()
            if len(open_gates) == 1:
                self.values[next(iter(open_gates))] = (name, result)
            gates, activated = frozenset(), True
        elif name in _PRODUCTS and activated:
            gates = frozenset()
        for tensor in _tensors([result]):
            self._origins[tensor] = _Origin(gates, activated or self._origin(tensor).activated)
        return result

    def without_origins(self, product: Callable[[Tensor], Tensors]) -> Callable[[Tensor], Tensors]:
        """Return the product (B, H) to blocks (B, H), with results that belong to no gate."""

        def untraced_product(inputs: Tensor) -> Tensors:
            results = product(inputs)
            self.read |= self._origin(inputs).gates
            for tensor in results:
                self._origins[tensor] = _Origin()
            return results

        return untraced_product

    def _origin(self, tensor: Tensor) -> _Origin:
        return self._origins.get(tensor, _Origin())


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)


def record_gates(cell: Cell, inputs: Tensor, state: State | None = None) -> GateRecord:
    """Run a cell along a sequence step by step, and return its gates and states.

    Args:
        cell: a `GatedCell` (so also a `LinearCell`) or a `StepwiseCell`.
        inputs: (B, T, input_size).
        state: the state before the first position; by default the cell's initial state.

    Raises:
        TypeError: the cell does not name its gates.
        ValueError: the inputs have a different shape, or T is 0.
    """
    if not isinstance(cell, GatedCell | StepwiseCell):
        raise TypeError(f"{type(cell).__name__} does not name its gates; use a GatedCell or a StepwiseCell.")
    check_sequence(cell, inputs)
    state = cell.initial_state(inputs.shape[0]) if state is None else state
    traced = _traced_copy(cell)
    outputs, states = [], []
    # With gradients enabled, updates are called on all rows at once and not on blocks of them.
    with torch.enable_grad():
        for position in inputs.unbind(1):
            output, state = traced.cell.step(position, state)
            state = tuple(tensor.detach() for tensor in state)
            outputs.append(output.detach())
            states.append(state)
    return GateRecord(
        outputs=torch.stack(outputs, 1),
        states={
            name: torch.stack(values, 1)
            for name, values in zip(cell.state_sizes, zip(*states, strict=True), strict=True)
        },
        gates={name: torch.stack(values, 1) for name, values in traced.gates.items()},
        functions=traced.functions,
        unread=tuple(name for name in cell.gates if name not in traced.read),
    )


class _TracedCell(NamedTuple):
    """A copy of a cell whose updates are traced, and the results of the trace."""

    cell: GatedCell | StepwiseCell
    gates: dict[str, list[Tensor]]
    functions: dict[str, str]
    read: set[str]


def _traced_copy(cell: GatedCell | StepwiseCell) -> _TracedCell:
    traced = _TracedCell(copy.deepcopy(cell), {name: [] for name in cell.gates}, {}, set())
    method = "update" if isinstance(cell, GatedCell) else "advance"
    original = getattr(traced.cell, method)

    def traced_update(x: Any, second: Any, state: State) -> State:
        # `second` is a GatedCell's `h`, recurrent gates or None, or a StepwiseCell's `products`, a mapping of functions.
        sides = (x, second) if isinstance(second, tuple) else (x,)
        pre_activations = {name: tuple(getattr(side, name) for side in sides) for name in cell.gates}
        tracer = _GateTracer(pre_activations)
        if isinstance(second, Mapping):
            second = {name: tracer.without_origins(product) for name, product in second.items()}
        with tracer:
            new_state: State = original(x, second, state)
        traced.read.update(tracer.read)
        for name, values in traced.gates.items():
            if name in tracer.values:
                traced.functions[name], value = tracer.values[name]
            else:
                traced.functions[name], value = "", torch.stack(pre_activations[name]).sum(0)
            values.append(value.detach())
        return new_state

    setattr(traced.cell, method, traced_update)
    return traced
