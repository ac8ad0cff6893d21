"""Recordings of updates, kept as long as what the updates depend on is the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from types import BuiltinFunctionType, FunctionType
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from nmt_lstm.recurrence.recorded_update import Replay, record
from nmt_lstm.recurrence.recurrence import Recurrence

__all__ = ["recording"]

SIMPLE = (bool, int, float, str, bytes, type(None), torch.dtype, FunctionType, BuiltinFunctionType)
OF_ALL_MODULES = frozenset(vars(nn.Module())) - {"training"}

# Not on the modules: a cell is what its author wrote, and is copied and saved as that.
_kept: WeakKeyDictionary[nn.Module, tuple[Any, Replay]] = WeakKeyDictionary()


class _NotSimpleError(Exception):
    """An attribute may change without being another one."""


def recording(
    recurrence: Recurrence,
    x_gates: int,
    h_gates: int,
    state: Sequence[Tensor],
    extra: Sequence[Tensor],
    dtype: torch.dtype,
) -> Replay:
    """Return an update recorded, ready for the rows of `state`; see `record` for arguments and errors."""
    key: Any = None
    if recurrence.lasting:
        noise = [(part.shape[2:], part.dtype) for part in recurrence.noise]
        shapes = [(part.shape[1:], part.dtype) for part in state]
        try:
            # The gradients recorded are those that were asked for.
            key = (x_gates, h_gates, dtype, shapes, noise, [tensor.requires_grad for tensor in extra])
            key = (*key, list(_attributes(recurrence.module)))
        except _NotSimpleError:
            key = None
    kept = _kept.get(recurrence.module)
    if kept is not None and key is not None and kept[0] == key:
        replay = kept[1]
    else:
        replay = record(recurrence, x_gates, h_gates, state, extra, dtype)
        if key is not None and replay.any_rows:
            _kept[recurrence.module] = (key, replay)
    replay.allocate(len(state[0]))
    return replay


def _attributes(module: nn.Module) -> Iterator[Any]:
    """Yield all that makes the update of a module this one and no other.

    Raises:
        _NotSimpleError: an attribute is no number, string or function, and no tuple of such.
    """
    for name, part in module.named_modules():
        yield name
        for kind in takewhile(lambda kind: kind is not nn.Module, type(part).__mro__):
            yield kind
            for key, value in vars(kind).items():
                if not key.startswith("__") and isinstance(value, (*SIMPLE, tuple)):
                    yield key, _simple(value)
        for key, value in vars(part).items():
            if key not in OF_ALL_MODULES:
                yield key, _simple(value)
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        yield name, tensor.data_ptr(), tuple(tensor.shape), tensor.dtype


def _simple(value: Any) -> Any:
    if isinstance(value, tuple):
        return type(value), tuple(_simple(part) for part in value)
    if isinstance(value, SIMPLE):
        return type(value), value
    raise _NotSimpleError
