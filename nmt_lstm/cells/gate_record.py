"""What a cell's gates do along a sequence, for looking at them: any cell that names its gates, as it is written."""

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

__all__ = ["FUNCTIONS", "GateRecord", "record_gates"]

FUNCTIONS: Mapping[str, tuple[float, float]] = {
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
"""The functions that make a gate of a pre-activation, and the range of each."""
_NAMES = {"log_sigmoid": "logsigmoid"}
_PRODUCTS = frozenset({"mul", "addcmul", "addcdiv", "lerp", "where", "div", "true_divide"})


@dataclass(frozen=True)
class GateRecord:
    """What a cell did along a sequence: B sentences, T positions, H hidden width.

    Attributes:
        outputs: (B, T, output width).
        states: the states after each position, by name, each (B, T, state width).
        gates: the gates' values, by name, each (B, T, H): the result of the first function of `FUNCTIONS` that the
            cell applies to the gate, or the pre-activation if the cell applies none.
        functions: the function of each gate, by name; "" if the cell applies none.
        unread: gates that the cell names but never uses.
    """

    outputs: Tensor
    states: dict[str, Tensor]
    gates: dict[str, Tensor]
    functions: dict[str, str]
    unread: tuple[str, ...]


class _Origin(NamedTuple):
    """What a tensor was computed from."""

    gates: frozenset[str] = frozenset()
    """Gates whose pre-activations it still is, summed or scaled."""
    activated: bool = False
    """Whether a function of `FUNCTIONS` comes before it."""


class _Watch(TorchFunctionMode):
    """Follows pre-activations through one update up to the functions that make gates of them.

    Which function makes a gate is in the author's code alone: the base class knows names and pre-activations. So torch's
    functions are watched, and each result is given the origin of its arguments.

    Of a gate that multiplies another one's pre-activation nothing is passed on: in ``tanh(x.candidate + reset * h.candidate)``
    the result is the candidate. A pre-activation that was multiplied is not followed further either: it is used as it is.
    """

    def __init__(self, gates: Mapping[str, Tensors]) -> None:
        super().__init__()
        self.values: dict[str, tuple[str, Tensor]] = {}
        """By gate: the name of the function that made it, and its value (B, H)."""
        self.read: set[str] = set()
        """Gates that any function took."""
        self._origins: MutableMapping[Tensor, _Origin] = WeakTensorKeyDictionary()
        for name, parts in gates.items():
            for part in parts:
                self._origins[part] = _Origin(frozenset([name]))

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        origins = [self._origin(part) for part in _tensors([*args, *(kwargs or {}).values()])]
        gates = frozenset[str]().union(*(origin.gates for origin in origins))
        activated = any(origin.activated for origin in origins)
        self.read |= gates
        name = getattr(function, "__name__", "").strip("_")
        name = _NAMES.get(name, name)
        if name in FUNCTIONS and isinstance(result, Tensor):
            # A function of several gates makes none of them, unless all but one have been made before.
            open_gates = gates - self.values.keys()
            if len(open_gates) == 1:
                self.values[next(iter(open_gates))] = (name, result)
            gates, activated = frozenset(), True
        elif name in _PRODUCTS and activated:
            gates = frozenset()
        for part in _tensors([result]):
            self._origins[part] = _Origin(gates, activated or self._origin(part).activated)
        return result

    def cut(self, product: Callable[[Tensor], Tensors]) -> Callable[[Tensor], Tensors]:
        """Return the product, with results that belong to no gate."""

        def cut(inputs: Tensor) -> Tensors:
            results = product(inputs)
            self.read |= self._origin(inputs).gates
            for part in results:
                self._origins[part] = _Origin()
            return results

        return cut

    def _origin(self, tensor: Tensor) -> _Origin:
        return self._origins.get(tensor, _Origin())


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)


def record_gates(cell: Cell, inputs: Tensor, state: State | None = None) -> GateRecord:
    """Run a cell along a sequence, step by step, and record its gates and states.

    Args:
        cell: a `GatedCell` (so also a `LinearCell`) or a `StepwiseCell`.
        inputs: (B, T, input_size).
        state: the first state; the cell's own initial state by default.

    Raises:
        TypeError: the cell names no gates.
        ValueError: there is no position.
    """
    if not isinstance(cell, GatedCell | StepwiseCell):
        raise TypeError(f"{type(cell).__name__} names no gates; a GatedCell or a StepwiseCell does.")
    check_sequence(cell, inputs)
    state = cell.initial_state(inputs.shape[0]) if state is None else state
    watched = _watched(cell)
    outputs, states = [], []
    # Without gradients, updates are called on blocks of rows.
    with torch.enable_grad():
        for position in inputs.unbind(1):
            output, state = watched.cell.step(position, state)
            state = tuple(part.detach() for part in state)
            outputs.append(output.detach())
            states.append(state)
    return GateRecord(
        outputs=torch.stack(outputs, 1),
        states=dict(
            zip(cell.state_sizes, (torch.stack(parts, 1) for parts in zip(*states, strict=True)), strict=True)
        ),
        gates={name: torch.stack(values, 1) for name, values in watched.gates.items()},
        functions=watched.functions,
        unread=tuple(name for name in cell.gates if name not in watched.read),
    )


@dataclass(frozen=True)
class _Watched:
    """A copy of a cell whose updates are watched, and what they did so far."""

    cell: GatedCell | StepwiseCell
    gates: dict[str, list[Tensor]]
    functions: dict[str, str]
    read: set[str]


def _watched(cell: GatedCell | StepwiseCell) -> _Watched:
    watched = _Watched(copy.deepcopy(cell), {name: [] for name in cell.gates}, {}, set())
    method = "update" if isinstance(cell, GatedCell) else "advance"
    original = getattr(watched.cell, method)

    def update(x: Any, second: Any, state: State) -> State:
        # Of a GatedCell the second are the recurrent gates, or None; of a StepwiseCell functions, the products.
        sides = (x, second) if isinstance(second, tuple) else (x,)
        parts = {name: tuple(getattr(side, name) for side in sides) for name in cell.gates}
        watch = _Watch(parts)
        if isinstance(second, Mapping):
            second = {name: watch.cut(product) for name, product in second.items()}
        with watch:
            new: State = original(x, second, state)
        watched.read.update(watch.read)
        for name, values in watched.gates.items():
            function, value = watch.values.get(name) or ("", torch.stack(parts[name]).sum(0))
            watched.functions[name] = function
            values.append(value.detach())
        return new

    setattr(watched.cell, method, update)
    return watched
