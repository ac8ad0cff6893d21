"""A function's recording as a list of calls, and its replay on a few buffers that are used again every time.

Autograd builds and runs a graph at each step of a sequence, and each of its results is new memory: for an update of
ten small operations that costs more than their arithmetic. Here an update and its gradient are recorded once for each
sequence, at the level of torch's operators; repeated are only the operators, in buffers that stay in the cache.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from nmt_lstm.cells.fused_calls import with_fewer_calls
from nmt_lstm.cells.recorded_call import Call, Place, place_of

__all__ = ["Program", "RandomNumbersError", "Tape", "UntapeableError"]

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


class UntapeableError(Exception):
    """The function cannot be repeated as a list of calls."""


class RandomNumbersError(UntapeableError):
    """The function draws random numbers: called again, it is another one."""


class _Recorder(TorchDispatchMode):
    """Notes every operator that is run."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Call] = []
        self._made: set[Place | None] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        schema, named = func._schema, kwargs or {}  # noqa: SLF001 - an operator's schema has no other name
        takes: list[Place] = []
        _each_place((args, named), takes)
        kind: Literal["new", "view", "in place"] = "new"
        if schema.is_mutable:
            kind = "in place"
            if schema.arguments[0].is_out or not set(takes[:1]) <= self._made:
                raise UntapeableError(f"{func} changes what it was given")
        elif any(result.alias_info is not None for result in schema.returns):
            kind = "view"
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise RandomNumbersError(f"{func} draws random numbers")
        result = func(*args, **named)
        results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        if not all(part is None or isinstance(part, Tensor) for part in results):
            raise UntapeableError(f"{func} looks at values")
        makes = tuple(_place_or_none(part) for part in results)
        # Else it is only another name for the same values.
        if kind == "in place" or not set(makes) <= set(takes):
            self.calls.append(Call(func, args, named, tuple(takes), makes, kind))
        if kind == "new":
            self._made.update(makes)
        return result


class Tape:
    """A recorded function and its gradients.

    Args:
        function: takes and returns tensors, without side effects.
        inputs: what it takes, requiring gradients where they are asked for; each in memory of its own.
        parameters: tensors that it uses besides; those that require gradients get them.

    Raises:
        UntapeableError: the function changes tensors in place, draws random numbers, or looks at values.
    """

    def __init__(
        self,
        function: Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]],
        inputs: Sequence[Tensor],
        parameters: Sequence[Tensor] = (),
    ) -> None:
        recorder = _Recorder()
        wanted = [tensor for tensor in (*inputs, *parameters) if tensor.requires_grad]
        with recorder, torch.enable_grad():
            results = function(tuple(inputs))
        differentiated = [result for result in results if result.requires_grad]
        seeds = [torch.empty_like(result) for result in differentiated]
        with recorder:
            found = torch.autograd.grad(differentiated, wanted, seeds, allow_unused=True)
        self.calls = recorder.calls
        self.inputs = [place_of(tensor) for tensor in inputs]
        self.results = [place_of(result) for result in results]
        given, gradients = iter(seeds), iter(found)
        self.seeds = [place_of(next(given)) if result.requires_grad else None for result in results]
        self.gradients = [
            _place_or_none(next(gradients)) if tensor.requires_grad else None
            for tensor in (*inputs, *parameters)
        ]
        self._kept = (inputs, results, seeds, found)

    def sums(self, left: Sequence[int], right: Sequence[int]) -> list[Place | None] | None:
        """Return the places of the sums of inputs, pair by pair, if these enter the function in no other way."""
        uses: dict[Place, list[Call]] = {}
        for call in self.calls:
            for place in call.takes:
                uses.setdefault(place, []).append(call)
        found = []
        for one, other in zip(left, right, strict=True):
            ones, others = uses.get(self.inputs[one], []), uses.get(self.inputs[other], [])
            if len(ones) != 1 or len(others) != 1 or ones[0] is not others[0]:
                return None
            if str(ones[0].operator) != "aten.add.Tensor" or ones[0].named:
                return None
            found.append(ones[0].makes[0])
        return found


class Program:
    """Some results of a tape, as calls on buffers of their own.

    Args:
        tape: the recording.
        sources: places whose values are given at each run, and under which number.
        targets: places whose values are wanted, and the numbers of the tensors that they are copied into.
        totals: places whose values are added to these tensors at each run.
    """

    def __init__(
        self,
        tape: Tape,
        sources: Mapping[Place, int],
        targets: Sequence[tuple[Place, int]],
        totals: Sequence[tuple[Place, Tensor]] = (),
    ) -> None:
        self._sources = sources
        self._given: Sequence[Tensor] = ()
        self._wanted: Sequence[Tensor] = ()
        self._instructions: list[Callable[[], Any]] = []
        self._tensors: dict[Place | None, Any] = {}
        self._free: dict[Any, list[Tensor]] = {}
        self._deliveries: dict[Place, list[Callable[[Tensor], Callable[[], Any]]]] = {}
        for place, number in targets:
            self._deliveries.setdefault(place, []).append(functools.partial(self._into_wanted, number))
        for place, total in totals:
            self._deliveries.setdefault(place, []).append(functools.partial(_into_total, total))
        self._compile(with_fewer_calls(self._needed(tape.calls), list(self._deliveries)))

    @property
    def used(self) -> set[int]:
        """The numbers of the sources that the results depend on."""
        return {number for place, number in self._sources.items() if place in self._tensors}

    def run(self, given: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
        """Compute from `given` and copy into `wanted`, both by number."""
        self._given, self._wanted = given, wanted
        with torch.no_grad():
            for instruction in self._instructions:
                instruction()

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
        # What others look into is never used for anything else.
        pinned = {place for call in calls if call.kind == "view" for place in (*call.takes, *call.makes)}
        owned = {*self._sources, *finished}
        for number, call in enumerate(calls):
            arguments, named = self._bound(call.arguments), self._bound(call.named)
            if str(call.operator) == "aten.rsub.Scalar":  # `1 - x`; only subtraction writes into buffers
                arguments = (arguments[1], arguments[0], *arguments[2:])
            over = {place for place in call.takes if last_use[place] == number} & owned - pinned
            over = {place for place in over if finished.get(place, number) <= number}
            into = INTO.get(str(call.operator))
            if call.kind == "view":
                seen = call.operator(*arguments, **named)
                seen = seen if isinstance(seen, (tuple, list)) else (seen,)
                self._tensors.update(zip(call.makes, seen, strict=True))
            elif call.kind == "in place":
                self._instructions.append(functools.partial(call.operator, *arguments, **named))
                over -= set(call.makes)
            elif into is not None:
                self._release(over)
                over = set()
                (place,) = (place for place in call.makes if place is not None)
                buffer = self._tensors[place] = self._buffer(place)
                packet, _, suffix = into[0].partition(".")
                operator = getattr(getattr(torch.ops.aten, packet), suffix)
                self._instructions.append(
                    functools.partial(operator, *arguments, **named, **{into[1]: buffer})
                )
            else:
                buffers = [None if place is None else self._buffer(place) for place in call.makes]
                self._tensors.update(zip(call.makes, buffers, strict=True))
                self._instructions.append(_copied(call.operator, arguments, named, buffers))
            complete = {place for place in call.makes if place is not None and finished[place] == number}
            for place in complete:
                self._deliver(place)
            over |= {place for place in complete if last_use.get(place, number) <= number}
            self._release(over - pinned)
        for place in list(self._deliveries):
            self._load(place)
            self._deliver(place)

    def _bound(self, tree: Any) -> Any:
        """Return arguments with buffers in place of the recorded tensors; parameters stay what they are."""
        if isinstance(tree, Tensor):
            place = place_of(tree)
            self._load(place)
            return self._tensors.get(place, tree)
        if isinstance(tree, dict):
            return {name: self._bound(part) for name, part in tree.items()}
        if isinstance(tree, (tuple, list)):
            return type(tree)(self._bound(part) for part in tree)
        return tree

    def _load(self, place: Place) -> None:
        """Let the place's values be copied from what is given, before the next instruction."""
        number = self._sources.get(place)
        if number is not None and place not in self._tensors:
            buffer = self._tensors[place] = self._buffer(place)
            self._instructions.append(lambda: buffer.copy_(self._given[number]))
            self._deliver(place)

    def _deliver(self, place: Place) -> None:
        for delivery in self._deliveries.pop(place, ()):
            self._instructions.append(delivery(self._tensors[place]))

    def _into_wanted(self, number: int, buffer: Tensor) -> Callable[[], Any]:
        return lambda: self._wanted[number].copy_(buffer)

    def _buffer(self, place: Place) -> Tensor:
        free = self._free.get(place[1:])
        if free:
            return free.pop()
        _, shape, strides, dtype, device = place
        return torch.empty_strided(shape, strides, dtype=dtype, device=device)

    def _release(self, places: set[Place]) -> None:
        for place in places:
            self._free.setdefault(place[1:], []).append(self._tensors[place])


def _place_or_none(tensor: Tensor | None) -> Place | None:
    return None if tensor is None else place_of(tensor)


def _into_total(total: Tensor, buffer: Tensor) -> Callable[[], Any]:
    return lambda: total.add_(buffer)


def _copied(
    operator: Any, arguments: tuple[Any, ...], named: dict[str, Any], buffers: list[Tensor | None]
) -> Callable[[], None]:
    """Return an instruction for an operator that makes memory of its own."""

    def run() -> None:
        results = operator(*arguments, **named)
        for buffer, result in zip(
            buffers, results if isinstance(results, (tuple, list)) else (results,), strict=True
        ):
            if buffer is not None:
                buffer.copy_(result)

    return run


def _each_place(tree: Any, found: list[Place]) -> None:
    if isinstance(tree, Tensor):
        found.append(place_of(tree))
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            _each_place(part, found)
    elif isinstance(tree, dict):
        _each_place(tuple(tree.values()), found)
