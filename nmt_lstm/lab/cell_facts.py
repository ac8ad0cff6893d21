"""Facts about a cell: gates, states, and formulas for its parameters and products per step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell

__all__ = ["CellCost", "cell_cost", "cell_facts"]

# Input and hidden sizes differ, since some cells skip a product if they are equal; multiples of 8 suit cells with heads.
_SIZES = [(inputs, hidden) for inputs in (8, 24, 40) for hidden in (16, 32, 48)]
_TERMS: Mapping[str, Callable[[int, int], int]] = {
    "HI": lambda inputs, hidden: hidden * inputs,
    "H²": lambda _, hidden: hidden * hidden,
    "I²": lambda inputs, _: inputs * inputs,
    "I": lambda inputs, _: inputs,
    "H": lambda _, hidden: hidden,
    "": lambda *_: 1,
}
_ROWS = 8
_NO_FORMULA = "no simple formula"


class CellCost(NamedTuple):
    """Formulas in I, the input size, and H, the hidden size; empty if no polynomial of degree 2 fits."""

    parameters: str
    """Trained parameters."""
    products: str
    """Multiply-adds in matrix products, for one row in one step."""


def cell_facts(part: type[Cell]) -> list[tuple[str, str]]:
    """Return facts about a cell with its default options, as (name, value); fewer if it cannot be built with some sizes."""
    gates = ", ".join(getattr(part, "gates", ()))
    facts = [("gates", gates)] if gates else []
    try:
        cost = cell_cost(part)
        cell = part(8, 16)
        sizes = cell.state_sizes
    except Exception:  # noqa: BLE001 - a plugin may raise anything, and its source is still worth showing
        return facts
    states = ", ".join(name if size == 16 else f"{name} (different size)" for name, size in sizes.items())
    if isinstance(cell, GatedCell | StepwiseCell):
        facts.append(("initial biases", _biases(cell)))
    return [
        *facts,
        ("states", states),
        ("parameters", cost.parameters or _NO_FORMULA),
        ("products per step", f"{cost.products} multiply-adds per row" if cost.products else _NO_FORMULA),
    ]


def cell_cost(build: Callable[[int, int], Cell]) -> CellCost:
    """Return the cost of a cell.

    Args:
        build: constructs the cell from an input size and a hidden size, such as its class.

    Raises:
        ValueError: `build` rejects a size; all sizes are multiples of 8.
    """
    parameters, products = {}, {}
    for sizes in _SIZES:
        with torch.random.fork_rng(devices=[]):
            cell = build(*sizes)
        parameters[sizes] = sum(weight.numel() for weight in cell.parameters())
        products[sizes] = _multiply_adds(cell, sizes[0])
    return CellCost(_formula(parameters), _formula(products))


def _multiply_adds(cell: Cell, input_size: int) -> int:
    # The counter sees only PyTorch's own products, which float64 guarantees.
    cell = cell.double().eval()
    with FlopCounterMode(display=False) as counter:
        cell.step(torch.zeros(_ROWS, input_size, dtype=torch.float64), cell.initial_state(_ROWS))
    return int(counter.get_total_flops()) // 2 // _ROWS


def _formula(points: Mapping[tuple[int, int], int]) -> str:
    """Return the polynomial through the points, or an empty string."""
    matrix = np.array([[term(*sizes) for term in _TERMS.values()] for sizes in points], float)
    values = list(points.values())
    solved = np.linalg.lstsq(matrix, np.array(values, float), rcond=None)[0]
    factors = [Fraction(float(factor)).limit_denominator(64) for factor in solved]
    for row, value in zip(matrix, values, strict=True):
        if sum(factor * int(part) for factor, part in zip(factors, row, strict=True)) != value:
            return ""
    terms = [
        (f"{factor if factor != 1 or not name else ''}{name}")
        for name, factor in zip(_TERMS, factors, strict=True)
        if factor
    ]
    return " + ".join(terms).replace("+ -", "- ") or "0"


def _biases(cell: GatedCell | StepwiseCell) -> str:
    """Return the initial biases of the gates, such as "forget 1, others 0"."""
    named = [f"{name} {value:g}" for name, value in cell.initial_biases if value]
    return ", ".join([*named, "others 0"] if len(named) < len(cell.gates) else named) if named else "0"
