"""Facts of a cell that its class tells: gates, states, and what it costs."""

from __future__ import annotations

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.cost import cell_cost

__all__ = ["cell_facts"]

_NO_FORMULA = "no simple formula"


def cell_facts(part: type[Cell]) -> list[tuple[str, str]]:
    """Return facts of a cell with its default options, as (what, value); fewer if it cannot be built of some widths."""
    gates = ", ".join(getattr(part, "gates", ()))
    facts = [("gates", gates)] if gates else []
    try:
        cost = cell_cost(part)
        small = part(8, 16).state_sizes
    except (TypeError, ValueError, RuntimeError):
        return facts
    states = ", ".join(name if width == 16 else f"{name} (of another width)" for name, width in small.items())
    return [
        *facts,
        ("states", states),
        ("parameters", cost.parameters or _NO_FORMULA),
        ("products per step", f"{cost.products} multiply-adds per row" if cost.products else _NO_FORMULA),
    ]
