"""Facts of a cell that its class tells: gates, states, and what it costs."""

from __future__ import annotations

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.lab.cell_cost import cell_cost

__all__ = ["cell_facts"]

_NO_FORMULA = "no simple formula"


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


def _biases(cell: GatedCell | StepwiseCell) -> str:
    """Return what the biases of gates start with, such as "forget 1, others 0"."""
    named = [f"{name} {value:g}" for name, value in cell.initial_biases if value]
    return ", ".join([*named, "others 0"] if len(named) < len(cell.gates) else named) if named else "0"
