"""Recorded calls made fewer: a product and the sum it goes into are one operator, and so is a difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from nmt_lstm.recurrence.call import Call, Place, place_of

__all__ = ["with_fewer_calls"]


def with_fewer_calls(calls: Sequence[Call], wanted: Sequence[Place]) -> list[Call]:
    """Return calls with the same results: a + b * c and a - b * c as one, and a + (-b) as a - b.

    Args:
        calls: in order.
        wanted: places that are results, whatever uses them.
    """
    if any(call.kind == "in place" for call in calls):
        return list(calls)  # what a product was made of may be something else where its sum is
    uses = Counter(place for call in calls for place in call.takes)
    uses.update(wanted)
    makers = {
        place: call
        for call in calls
        if str(call.operator) in ("aten.mul.Tensor", "aten.neg.default")
        for place in call.makes
        if place is not None and uses[place] == 1
    }
    gone: set[int] = set()
    fewer = []
    for call in calls:
        joined = _joined(call, makers)
        if joined is None:
            fewer.append(call)
            continue
        fused, maker = joined
        gone.add(id(maker))
        fewer.append(fused)
    return [call for call in fewer if id(call) not in gone]


def _joined(call: Call, makers: dict[Place, Call]) -> tuple[Call, Call] | None:
    """Return the call joined with the one that makes one of its arguments, and that one."""
    name = str(call.operator)
    if name not in ("aten.add.Tensor", "aten.sub.Tensor") or call.named or len(call.takes) != 2:
        return None
    left, right = call.arguments
    pairs = [(left, right), (right, left)] if name == "aten.add.Tensor" else [(left, right)]
    for kept, made in pairs:
        maker = makers.get(place_of(made))
        if maker is None or {tensor.dtype for tensor in (kept, *_tensors(maker))} != {made.dtype}:
            continue
        if str(maker.operator) == "aten.neg.default" and name == "aten.add.Tensor":
            return _call(call, torch.ops.aten.sub.Tensor, kept, maker.arguments[0]), maker
        if str(maker.operator) == "aten.mul.Tensor" and len(maker.takes) == 2:
            fused = _call(call, torch.ops.aten.addcmul.default, kept, *maker.arguments)
            return (fused if name == "aten.add.Tensor" else fused._replace(named={"value": -1})), maker
    return None


def _tensors(call: Call) -> list[Tensor]:
    return [argument for argument in call.arguments if isinstance(argument, Tensor)]


def _call(like: Call, operator: object, *tensors: Tensor) -> Call:
    places = tuple(place_of(tensor) for tensor in tensors)
    return like._replace(operator=operator, arguments=tensors, takes=places)
