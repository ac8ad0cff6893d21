"""Checks of what a cell's author declares and returns: names of gates and states, biases, products and results."""

from __future__ import annotations

import keyword
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from nmt_lstm.errors import PluginResultError

__all__ = [
    "OWN_PARAMETERS",
    "Biases",
    "checked_names",
    "checked_pair",
    "checked_products",
    "checked_results",
    "fill_biases",
    "gate_tuple",
    "starting_biases",
]

Biases = tuple[tuple[str, float], ...]

OWN_PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""Parameters of a gated cell's two products; all others are used in its update."""


def gate_tuple(part: type, names: object) -> Any:
    """Return the named tuple type of a cell's gates.

    Raises:
        TypeError: the names are not a tuple of distinct identifiers.
    """
    return namedtuple("Gates", checked_names(part, "gates", names))  # noqa: PYI024 - the names are the author's


def checked_names(part: type, attribute: str, names: object) -> tuple[str, ...]:
    """Return the names in a class attribute.

    Raises:
        TypeError: they are not a tuple of distinct identifiers.
    """
    where = f"{part.__name__}.{attribute}"
    if isinstance(names, str):
        raise TypeError(
            f"{where} is the string {names!r}, but must be a tuple of names: {_as_tuple(names)}, with its comma."
        )
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names) or not names:
        raise TypeError(
            f"{where} is {names!r}, but must be a tuple of names such as ('forget', 'candidate')."
        )
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise TypeError(
                f"{where} contains {name!r}; a name must be a Python identifier that does not begin with '_'."
            )
    if len(set(names)) < len(names):
        raise TypeError(f"{where} contains a name twice: {', '.join(names)}.")
    return tuple(names)


def checked_products(part: type, products: object) -> None:
    """Raise TypeError unless a class's products are pairs of a name and a number of blocks."""
    pairs = products if isinstance(products, (tuple, list)) else ()
    for pair in pairs or [None]:
        if not isinstance(pair, (tuple, list)) or [type(value) for value in pair] != [str, int]:
            raise TypeError(
                f"{part.__name__}.products is {products!r}, but must be a tuple of pairs of a name and a number of blocks, "
                f"such as (('gates', 2), ('candidate', 1))."
            )
    checked_names(part, "products", tuple(pair[0] for pair in pairs))


def _as_tuple(names: str) -> str:
    return repr(tuple(names.replace(",", " ").split()))


def starting_biases(part: type, gates: Sequence[str], *biases: Mapping[str, float]) -> Biases:
    """Return the initial biases of gates, of which later mappings override earlier ones; gates without a bias start at 0.

    Raises:
        ValueError: a bias does not belong to a gate.
    """
    merged = {name: float(value) for mapping in biases for name, value in mapping.items()}
    unknown = [name for name in merged if name not in gates]
    if unknown:
        raise ValueError(
            f"{part.__name__} has a bias for '{unknown[0]}', which is not a gate; its gates are {', '.join(gates)}."
        )
    return tuple(merged.items())


@torch.no_grad()
def fill_biases(bias: Tensor, gates: Sequence[str], biases: Biases, hidden_size: int) -> None:
    """Set a bias (G*H,) to the initial biases of its gates; it may have no rows for the last gates (a highway)."""
    values = dict(biases)
    for name, block in zip(gates, bias.split(hidden_size), strict=False):
        block.fill_(values.get(name, 0.0))


def checked_results(
    cell: object,
    method: str,
    new: object,
    states: Sequence[str],
    *,
    output_is_state: bool,
    shape: torch.Size,
) -> tuple[Tensor, ...]:
    """Return the tensors that an author's method returned: the new state, after the output unless that is the first state.

    Args:
        cell: the cell whose method was called.
        method: name of the method.
        new: its result.
        states: names of the state's tensors.
        output_is_state: whether the output is the first of them; otherwise it comes before them.
        shape: of each tensor, (rows, H).

    Raises:
        PluginResultError: the result is not a tuple of that many tensors of this shape.
    """
    expected = states if output_is_state else ("output", *states)
    names = ", ".join(expected)
    if not isinstance(new, tuple):
        comma = "," if len(expected) == 1 else ""
        raise PluginResultError(cell, method, f"{_kind(new)}; expected a tuple: return ({names}{comma})")
    if len(new) != len(expected):
        raise PluginResultError(cell, method, f"{len(new)} tensors; expected ({names})")
    for name, tensor in zip(expected, new, strict=True):
        if not isinstance(tensor, Tensor):
            raise PluginResultError(cell, method, f"{type(tensor).__name__} as '{name}'; expected a tensor")
        if tensor.shape != shape:
            problem = f"a tensor of shape {tuple(tensor.shape)} as '{name}'; expected {tuple(shape)}, (rows, hidden width)"
            raise PluginResultError(cell, method, problem)
    return new


def checked_pair(cell: object, method: str, pair: object, names: str) -> tuple[Any, Any]:
    """Return the two values that an author's method returned.

    Raises:
        PluginResultError: the result is not a tuple of two values.
    """
    if not isinstance(pair, tuple) or len(pair) != 2:
        result = f"a tuple of {len(pair)}" if isinstance(pair, tuple) else _kind(pair)
        raise PluginResultError(cell, method, f"{result}; expected a tuple of two: {names}")
    return pair


def _kind(value: object) -> str:
    return "a tensor" if isinstance(value, Tensor) else type(value).__name__
