"""A function and its gradient recorded as a list of calls.

Autograd builds and runs a graph at each step of a sequence: for an update of ten small operations that costs more than
their arithmetic. Here an update and its gradient are recorded once, at the level of torch's operators; repeated are only
the operators (see `nmt_lstm.recurrence.program`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from nmt_lstm.recurrence.call import Call, Place, place_of, tensors_in

__all__ = ["RandomNumbersError", "Tape", "UntapeableError"]


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
        takes = tuple(place_of(tensor) for tensor in tensors_in((args, named)))
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
            self.calls.append(Call(func, args, named, takes, makes, kind))
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
        self.rows = len(inputs[0])
        self._kept = (inputs, results, seeds, found)

    def stands_for_any_rows(self, parameters: Sequence[Tensor]) -> bool:
        """Whether the calls would be the same ones on any number of rows; `parameters` have no rows."""
        without = {place_of(tensor) for tensor in parameters}
        return all(_stands_for_more(call, self.rows, without) for call in self.calls)

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


def _place_or_none(tensor: Tensor | None) -> Place | None:
    return None if tensor is None else place_of(tensor)


def _stands_for_more(call: Call, rows: int, without: set[Place]) -> bool:
    """Whether a call on `rows` rows is the same call on any number of them."""
    places = {place for place in (*call.takes, *call.makes) if place is not None} - without
    shapes = [tuple(place[1]) for place in places]
    if any(_numbers_of(rows, (call.arguments, call.named))):
        return False
    if not any(rows in shape for shape in shapes):
        return all(not shape or shape[0] % rows for shape in shapes)
    dense = all(tensor_strides == _dense(shape) for _, shape, tensor_strides, *_ in places)
    first = all(
        rows not in shape[1:] and (not shape or shape[0] == rows or shape[0] % rows) for shape in shapes
    )
    return call.kind == "new" and dense and first


def _numbers_of(value: int, tree: Any) -> Iterator[bool]:
    """Yield for each number in nested arguments whether it is this one."""
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, (tuple, list)):
        for part in tree:
            yield from _numbers_of(value, part)
    elif isinstance(tree, (int, float)):
        yield tree == value


def _dense(shape: Sequence[int]) -> tuple[int, ...]:
    strides = [1]
    for size in reversed(shape[1:]):
        strides.insert(0, strides[0] * size)
    return tuple(strides[: len(shape)])
