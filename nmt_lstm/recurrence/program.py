"""Some results of a recorded function as a list of calls, repeated on a few buffers that stay in the cache."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nmt_lstm.recurrence.call import Call, Place, place_of, tensors_in
from nmt_lstm.recurrence.fusion import with_fewer_calls
from nmt_lstm.recurrence.tape import Tape

__all__ = ["Program"]

# Operators whose kernel can write into given memory: that overload and the name of its argument.
INTO = {
    **{f"aten.{name}.Tensor": (f"{name}.out", "out") for name in ("add", "sub", "mul", "div")},
    **{
        f"aten.{name}.default": (f"{name}.out", "out")
        for name in (
            "abs", "addcmul", "clamp_max", "clamp_min", "exp", "expm1", "log", "log1p", "maximum", "minimum", "neg",
            "reciprocal", "rsqrt", "sgn", "sigmoid", "softplus", "sqrt", "tanh",
        )
    },
    **{
        f"aten.{name}_backward.default": (f"{name}_backward.grad_input", "grad_input")
        for name in ("sigmoid", "softplus", "tanh", "threshold")
    },
    "aten.lerp.Tensor": ("lerp.Tensor_out", "out"),
    "aten.pow.Tensor_Scalar": ("pow.Tensor_Scalar_out", "out"),
    "aten.rsub.Scalar": ("sub.out", "out"),
    "aten.where.self": ("where.self_out", "out"),
}  # fmt: skip


class Instruction(NamedTuple):
    """An operator, and the numbers of the slots that it reads and fills."""

    operator: Callable[..., Any]
    takes: tuple[int, ...]
    into: str = ""
    """Name of the argument that takes the result's memory; empty, if the operator changes its first or makes its own."""
    makes: tuple[int, ...] = ()
    """Slots of the results, negative where there is none."""


class Program:
    """Some results of a tape, as calls on slots: what is given, what is wanted, constants, and buffers of its own.

    Args:
        tape: the recording.
        sources: places whose values are given at each run, and under which number.
        targets: places whose values are wanted, and the numbers of the tensors that they are written into.
        totals: places whose values are added to these tensors at each run.
        converted: numbers of sources and of targets whose tensors have another type than was recorded. They are
            converted one by one, when they are used or made: less leaves the cache than if all were at once.
    """

    def __init__(
        self,
        tape: Tape,
        sources: Mapping[Place, int],
        targets: Sequence[tuple[Place, int]],
        totals: Sequence[tuple[Place, Tensor]] = (),
        converted: tuple[Collection[int], Collection[int]] = ((), ()),
    ) -> None:
        self._sources, self._converted, self._rows = sources, converted[0], tape.rows
        self._recorded_rows = tape.rows
        self._targets = {place: number for place, number in targets if number not in converted[1]}
        self._first_wanted = 1 + max(sources.values(), default=-1)
        numbers = [number for _, number in targets]
        self._end = self._first_wanted + 1 + max(numbers, default=-1)
        self._slots: list[Any] = [None] * self._end
        self._instructions: list[Instruction] = []
        self._places: dict[Place, int] = {}
        self._buffers: dict[int, Place] = {}
        self._free: dict[Any, list[int]] = {}
        self._deliveries: dict[Place, list[Callable[[int], None]]] = {}
        for place, number in targets:
            copy = functools.partial(self._copy, self._first_wanted + number)
            self._deliveries.setdefault(place, []).append(copy)
        for place, total in totals:
            add = functools.partial(self._add, self._constant(total))
            self._deliveries.setdefault(place, []).append(add)
        calls = with_fewer_calls(self._needed(tape.calls), list(self._deliveries))
        # What others look into stays where it is.
        self._pinned = {
            place for call in calls if call.kind == "view" for place in (*call.takes, *call.makes) if place
        }
        self._compile(calls)

    @property
    def used(self) -> set[int]:
        """The numbers of the sources that the results depend on."""
        return {number for place, number in self._sources.items() if place in self._places}

    @property
    def buffers(self) -> int:
        """How many buffers the program has."""
        return len(self._buffers)

    def __len__(self) -> int:
        return len(self._instructions)

    def allocate(self, rows: int) -> None:
        """Make the buffers those of so many rows, where the recording stands for any number."""
        if rows == self._rows:
            return
        for number, (_, shape, strides, dtype, device) in self._buffers.items():
            # Those without rows stay: others may look into them.
            if shape and shape[0] == self._recorded_rows:
                shape = (rows, *shape[1:])
                self._slots[number] = torch.empty_strided(shape, strides, dtype=dtype, device=device)
        self._rows = rows

    def run(self, given: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
        """Compute from `given` into `wanted`, both by number and, but for what is converted, as recorded."""
        slots, first, end = self._slots, self._first_wanted, self._end
        # Beyond these, slots are constants and buffers: what is given or wanted for nothing must not come there.
        slots[:first] = given[:first]
        slots[first:end] = wanted[: end - first]
        with torch.no_grad():
            for operator, takes, into, makes in self._instructions:
                arguments = [slots[number] for number in takes]
                if into:
                    operator(*arguments, **{into: slots[makes[0]]})
                    continue
                results = operator(*arguments)
                if makes:
                    results = results if isinstance(results, (tuple, list)) else (results,)
                    for number, result in zip(makes, results, strict=True):
                        if number >= 0:
                            slots[number] = result
        # Kept, they would keep the graph alive that keeps the program.
        slots[:end] = [None] * end

    def _needed(self, calls: Sequence[Call]) -> list[Call]:
        """Return the calls that the wanted places depend on, in order."""
        places, chosen = set(self._deliveries), []
        for call in reversed(calls):
            if any(place in places and place not in self._sources for place in call.makes):
                chosen.append(call)
                places.update(call.takes)
        return chosen[::-1]

    def _compile(self, calls: list[Call]) -> None:
        last_use = {place: number for number, call in enumerate(calls) for place in call.takes}
        finished = {place: number for number, call in enumerate(calls) for place in call.makes}
        for number, call in enumerate(calls):
            for place in call.takes:
                self._load(place)
            over = {place for place in call.takes if last_use[place] == number}
            over = {place for place in over if finished.get(place, number) <= number}
            if call.kind == "in place":
                over -= set(call.makes)
            self._translate(call, over)
            complete = {place for place in call.makes if place is not None and finished[place] == number}
            for place in complete:
                self._deliver(place)
            self._release(over | {place for place in complete if last_use.get(place, number) <= number})
        for place in list(self._deliveries):
            self._load(place)
            self._deliver(place)

    def _translate(self, call: Call, over: set[Place]) -> None:
        """Append a call as instructions; memory of places that are `over` may take its result."""
        operator, takes, into = self._bound(call)
        if call.kind == "view":
            seen = operator(*(self._slots[number] for number in takes))
            seen = seen if isinstance(seen, (tuple, list)) else (seen,)
            for place, tensor in zip(call.makes, seen, strict=True):
                if place is not None:
                    self._places[place] = self._constant(tensor)
        elif call.kind == "in place":
            self._instructions.append(Instruction(operator, takes))
        elif into:
            self._release(over)
            over.clear()
            (place,) = (place for place in call.makes if place is not None)
            self._places[place] = self._lent(place)
            self._instructions.append(Instruction(operator, takes, into, (self._places[place],)))
        else:
            made = tuple(-1 if place is None else self._constant(None) for place in call.makes)
            self._instructions.append(Instruction(operator, takes, "", made))
            for place, number in zip(call.makes, made, strict=True):
                if place is None:
                    continue
                self._places[place] = number
                if place in self._pinned:
                    self._places[place] = self._buffer(place)
                    self._copy(self._places[place], number)

    def _bound(self, call: Call) -> tuple[Callable[..., Any], tuple[int, ...], str]:
        """Return a call's operator, the slots of its arguments, and the argument's name that takes the result's memory."""
        arguments = call.arguments
        if sum(isinstance(argument, Tensor) for argument in arguments) < len(call.takes):
            # Tensors in lists or by name are put back into their places at each call.
            operator = functools.partial(_with_tensors, call.operator, arguments, call.named)
            return operator, tuple(self._slot(tensor) for tensor in tensors_in((arguments, call.named))), ""
        operator, into = call.operator, ""
        if str(operator) in INTO:
            name, into = INTO[str(operator)]
            if str(operator) == "aten.rsub.Scalar":  # `1 - x`; only subtraction writes into given memory
                arguments = (arguments[1], arguments[0], *arguments[2:])
            packet, _, suffix = name.partition(".")
            operator = getattr(getattr(torch.ops.aten, packet), suffix)
            if suffix == "out" and len(call.takes) == len(arguments):
                # The same operator; called by this name it takes half the time, 1 us.
                operator = getattr(torch, packet, operator)
        if call.named:
            operator = functools.partial(operator, **call.named)
        return operator, tuple(self._slot(argument) for argument in arguments), into

    def _slot(self, argument: Any) -> int:
        """Return the slot of an argument; what was not given or made, such as parameters, stays what it is."""
        place = place_of(argument) if isinstance(argument, Tensor) else None
        return self._places[place] if place in self._places else self._constant(argument)

    def _constant(self, value: Any) -> int:
        self._slots.append(value)
        return len(self._slots) - 1

    def _load(self, place: Place) -> None:
        """Let the place be what is given, or a copy of it, if it has another type or others look into it."""
        number = self._sources.get(place)
        if number is None or place in self._places:
            return
        self._places[place] = number
        if place in self._pinned or number in self._converted:
            self._places[place] = self._buffer(place)
            self._copy(self._places[place], number)
        self._deliver(place)

    def _deliver(self, place: Place) -> None:
        for delivery in self._deliveries.pop(place, ()):
            delivery(self._places[place])

    def _copy(self, into: int, number: int) -> None:
        if into != number:
            self._instructions.append(Instruction(Tensor.copy_, (into, number)))

    def _add(self, total: int, number: int) -> None:
        self._instructions.append(Instruction(Tensor.add_, (total, number)))

    def _lent(self, place: Place) -> int:
        """Return the slot that an operator writes a place into: of a tensor that wants it, or a buffer."""
        if place in self._targets and place not in self._pinned:
            return self._first_wanted + self._targets[place]
        return self._buffer(place)

    def _buffer(self, place: Place) -> int:
        free = self._free.get(place[1:])
        if free:
            return free.pop()
        _, shape, strides, dtype, device = place
        number = self._constant(torch.empty_strided(shape, strides, dtype=dtype, device=device))
        self._buffers[number] = place
        return number

    def _release(self, places: set[Place]) -> None:
        for place in places - self._pinned:
            if self._places.get(place) in self._buffers:
                self._free.setdefault(place[1:], []).append(self._places[place])


def _with_tensors(operator: Callable[..., Any], arguments: Any, named: Any, *tensors: Tensor) -> Any:
    """Call an operator with other tensors in the places of those that it was recorded with."""
    remaining = iter(tensors)

    def filled(tree: Any) -> Any:
        if isinstance(tree, Tensor):
            return next(remaining)
        if isinstance(tree, dict):
            return {name: filled(part) for name, part in tree.items()}
        return type(tree)(filled(part) for part in tree) if isinstance(tree, (tuple, list)) else tree

    return operator(*filled(arguments), **filled(named))
