"""What a class says of its gates and states: checked when it is defined, with the biases that its gates start with."""

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
"""Those of a gated cell's two products; all others are used in its update."""


def gate_tuple(part: type, names: object) -> Any:
    """Return the named tuple type in which a cell gets its gates.

    Raises:
        TypeError: the names are not a tuple of different identifiers.
    """
    return namedtuple("Gates", checked_names(part, "gates", names))  # noqa: PYI024 - the names are the author's


def checked_names(part: type, attribute: str, names: object) -> tuple[str, ...]:
    """Return the names that a class gives in an attribute.

    Raises:
        TypeError: they are not a tuple of different identifiers.
    """
    where = f"{part.__name__}.{attribute}"
    if isinstance(names, str):
        raise TypeError(
            f"{where} is the string {names!r}; a tuple of names is needed, such as {_as_tuple(names)} with its comma."
        )
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names) or not names:
        raise TypeError(f"{where} is {names!r}; a tuple of names is needed, such as ('forget', 'candidate').")
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise TypeError(
                f"{where} contains {name!r}; a name consists of letters, digits and '_', as in x.{names[0]}."
            )
    if len(set(names)) < len(names):
        raise TypeError(f"{where} names something twice: {', '.join(names)}.")
    return tuple(names)


def checked_products(part: type, products: object) -> None:
    """Raise TypeError unless a class's products are pairs of a name and a number of blocks."""
    pairs = products if isinstance(products, (tuple, list)) else ()
    fits = [
        isinstance(pair, (tuple, list))
        and len(pair) == 2
        and isinstance(pair[0], str)
        and isinstance(pair[1], int)
        for pair in pairs
    ]
    if not fits or not all(fits):
        raise TypeError(
            f"{part.__name__}.products is {products!r}; a tuple of pairs of a name and a number of blocks is needed, such "
            f"as (('gates', 2), ('candidate', 1))."
        )
    checked_names(part, "products", tuple(pair[0] for pair in pairs))


def _as_tuple(names: str) -> str:
    return repr(tuple(names.replace(",", " ").split()))


def starting_biases(part: type, gates: Sequence[str], *biases: Mapping[str, float]) -> Biases:
    """Return the biases that gates start with, later ones in place of earlier ones; gates that are not named start at 0.

    Raises:
        ValueError: a bias belongs to no gate.
    """
    found = {name: float(value) for given in biases for name, value in given.items()}
    unknown = [name for name in found if name not in gates]
    if unknown:
        raise ValueError(
            f"{part.__name__}: a bias is given for '{unknown[0]}', which is not a gate; gates: {', '.join(gates)}."
        )
    return tuple(found.items())


@torch.no_grad()
def fill_biases(bias: Tensor, gates: Sequence[str], biases: Biases, hidden_size: int) -> None:
    """Set a bias (G*H,) to what its gates start with; the last gates may have none."""
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
    """Return what an author's function returned: the output, unless it is the first state, and the new state.

    Args:
        cell: whose method it is.
        method: its name.
        new: what it returned.
        states: names of the state's tensors.
        output_is_state: whether the output is the first of them, and not a tensor before them.
        shape: of each tensor.

    Raises:
        PluginResultError: it is not a tuple of as many tensors of this shape.
    """
    expected = states if output_is_state else ("output", *states)
    wanted = f"({', '.join(expected)}{',' if len(expected) == 1 else ''})"
    if not isinstance(new, tuple):
        what = "a tensor" if isinstance(new, Tensor) else type(new).__name__
        raise PluginResultError(cell, method, f"{what}; expected a tuple: return {wanted}")
    if len(new) != len(expected):
        raise PluginResultError(cell, method, f"{len(new)} tensors; expected {wanted.replace(',)', ')')}")
    for name, tensor in zip(expected, new, strict=True):
        if not isinstance(tensor, Tensor):
            raise PluginResultError(cell, method, f"{type(tensor).__name__} as '{name}'; expected a tensor")
        if tensor.shape != shape:
            seen = f"a tensor of shape {tuple(tensor.shape)} as '{name}'"
            raise PluginResultError(cell, method, f"{seen}; expected {tuple(shape)}, (rows, hidden width)")
    return new


def checked_pair(cell: object, method: str, pair: object, names: str) -> tuple[Any, Any]:
    """Return the two values that an author's function returned.

    Raises:
        PluginResultError: they are not two.
    """
    if not isinstance(pair, tuple) or len(pair) != 2:
        what = "a tensor" if isinstance(pair, Tensor) else repr(type(pair).__name__)
        what = f"a tuple of {len(pair)}" if isinstance(pair, tuple) else what
        raise PluginResultError(cell, method, f"{what}; expected a tuple of two: {names}")
    return pair
