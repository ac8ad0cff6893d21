"""Facts of a cell: gates, states, and what it costs by its widths, parameters and products in a step as formulas."""

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

# Different from each other, since some cells save a product where widths are equal; multiples of 8, for heads.
_WIDTHS = [(inputs, hidden) for inputs in (8, 24, 40) for hidden in (16, 32, 48)]
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
    """Formulas in I, the width of the inputs, and H, the hidden width; empty where no polynomial of degree 2 fits."""

    parameters: str
    """Trained values."""
    products: str
    """Multiply-adds of matrix products, for one row in one step."""


def cell_facts(part: type[Cell]) -> list[tuple[str, str]]:
    """Return facts of a cell with its default options, as (what, value); fewer if it cannot be built of some widths."""
    gates = ", ".join(getattr(part, "gates", ()))
    facts = [("gates", gates)] if gates else []
    try:
        cost = cell_cost(part)
        cell = part(8, 16)
        small = cell.state_sizes
    except Exception:  # noqa: BLE001 - a part may raise anything, and its source is worth seeing all the more
        return facts
    states = ", ".join(name if width == 16 else f"{name} (of another width)" for name, width in small.items())
    if isinstance(cell, GatedCell | StepwiseCell):
        facts.append(("initial biases", _biases(cell)))
    return [
        *facts,
        ("states", states),
        ("parameters", cost.parameters or _NO_FORMULA),
        ("products per step", f"{cost.products} multiply-adds per row" if cost.products else _NO_FORMULA),
    ]


def cell_cost(build: Callable[[int, int], Cell]) -> CellCost:
    """Return what a cell costs.

    Args:
        build: makes the cell of an input width and a hidden width, such as its class.

    Raises:
        ValueError: what `build` raises where it cannot take a width; widths are multiples of 8.
    """
    parameters, products = {}, {}
    for widths in _WIDTHS:
        with torch.random.fork_rng(devices=[]):
            cell = build(*widths)
        parameters[widths] = sum(weight.numel() for weight in cell.parameters())
        products[widths] = _multiply_adds(cell, widths[0])
    return CellCost(_formula(parameters), _formula(products))


def _multiply_adds(cell: Cell, input_size: int) -> int:
    # In float64, since only PyTorch's own products are counted.
    cell = cell.double().eval()
    with FlopCounterMode(display=False) as counter:
        cell.step(torch.zeros(_ROWS, input_size, dtype=torch.float64), cell.initial_state(_ROWS))
    return int(counter.get_total_flops()) // 2 // _ROWS


def _formula(points: Mapping[tuple[int, int], int]) -> str:
    """Return the polynomial through the points, or an empty text if there is none."""
    matrix = np.array([[term(*widths) for term in _TERMS.values()] for widths in points], float)
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
    """Return what the biases of gates start with, such as "forget 1, others 0"."""
    named = [f"{name} {value:g}" for name, value in cell.initial_biases if value]
    return ", ".join([*named, "others 0"] if len(named) < len(cell.gates) else named) if named else "0"
