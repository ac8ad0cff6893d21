"""The page about models over a text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nmt_lstm.lab.inspection.overview import CellOverview, Overview
from nmt_lstm.lab.inspection.unit_statistics import ALWAYS, DEAD, FOLLOWS, SATURATED, Followed, GateStatistics
from nmt_lstm.lab.report.markup import Markup, element
from nmt_lstm.lab.report.page import page, section
from nmt_lstm.lab.report.table import Column, Table, TableCell, number

__all__ = ["overview_page"]

MAX_FOLLOWERS = 12
"""Units of a cell that are named for each thing they follow."""
_BAR, _HEIGHT = 6, 28
FEATURES = {
    "position": "the number of the piece in the sentence",
    "brackets": "being inside of brackets or quotation marks",
    "end": "the last piece of the sentence",
}


def overview_page(overviews: Sequence[Overview], text: str) -> str:
    """Return a page about one model or several over the same text.

    Args:
        overviews: one for each model.
        text: name of the text.
    """
    models = ", ".join(each.model for each in overviews)
    counts = f"{len(overviews[0].sources)} sentences of {text}; the models wrote their own translations."
    return page(
        f"Inside {models}",
        _summary(overviews).html(),
        *(section(each.model, *map(_cell_section, each.cells)) for each in overviews),
        lead=counts,
    )


def _summary(overviews: Sequence[Overview]) -> Table:
    rows = [(each, cell) for each in overviews for cell in each.cells]
    return Table.of(
        f"All cells. Horizon: how many pieces back the influence on the last output is at least 5 % of the last piece's. "
        f"Half-life: pieces after which half of a unit's memory is gone, by its gates. Dead: the output is within ±{DEAD} "
        f"everywhere. Saturated: the output is beyond ±{SATURATED} at {_percent(ALWAYS)} of the pieces or more.",
        rows,
        [
            (Column("model", label=True), lambda each: each[0].model),
            (Column("layer"), lambda each: each[1].name),
            (Column("cell"), lambda each: each[1].cell),
            (Column("units", numeric=True), lambda each: number(each[1].statistics.units, "d")),
            (Column("horizon", numeric=True, meaning="median over sentences"), _horizon),
            (Column("half-life", numeric=True, meaning="median over units"), _half_life),
            (Column("dead", numeric=True, meaning="units"), lambda each: number(len(each[1].statistics.dead), "d")),
            (
                Column("saturated", numeric=True, meaning="units"),
                lambda each: number(len(each[1].statistics.saturated), "d"),
            ),
        ],
    )  # fmt: skip


def _horizon(each: tuple[Overview, CellOverview]) -> TableCell:
    low, _, middle, _, high = each[1].horizons
    return number(middle, ".0f", f"{low:.0f} to {high:.0f}")


def _half_life(each: tuple[Overview, CellOverview]) -> TableCell:
    lives = each[1].half_lives
    if lives is None:
        return TableCell("", None)
    low, _, middle, _, high = map(_pieces, lives)
    return TableCell(middle, lives[2], f"{low} to {high}")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


def _pieces(life: float) -> str:
    return f"{life:.1f}" if life < 1000 else "1,000 or more" if math.isfinite(life) else "unlimited"


def _cell_section(cell: CellOverview) -> Markup:
    statistics = cell.statistics
    gates = list(statistics.gates.items())
    parts = (
        [_gate_table(gates).html()]
        if gates
        else [element("p", "This cell names no gates that open and close.")]
    )
    for name, units in (("Dead units", statistics.dead), ("Saturated units", statistics.saturated)):
        if units:
            parts.append(element("p", f"{name}: {', '.join(map(str, units))}."))
    if statistics.whole_sentences:
        parts.append(
            element(
                "p",
                f"The horizon is the whole sentence in {_percent(statistics.whole_sentences)} of the sentences.",
                class_="meta",
            )
        )
    parts.append(_followers(statistics.followers()))
    return section(f"{cell.name}: {cell.cell}", *parts, level=3)


def _gate_table(gates: Sequence[tuple[str, GateStatistics]]) -> Table:
    return Table.of(
        f"Gates over all pieces and units. Open: above 0.9; closed: below 0.1; always: at {_percent(ALWAYS)} of the pieces or more. "
        f"The distribution goes from 0 at the left to 1 at the right.",
        gates,
        [
            (Column("gate", label=True), lambda each: each[0]),
            (Column("distribution"), lambda each: _distribution(each[1])),
            (Column("mean", numeric=True), lambda each: number(each[1].mean, ".2f")),
            (Column("open", numeric=True), lambda each: number(each[1].open, _percent)),
            (Column("closed", numeric=True), lambda each: number(each[1].closed, _percent)),
            (Column("always open", numeric=True, meaning="units"), lambda each: number(each[1].always_open, "d")),
            (Column("always closed", numeric=True, meaning="units"), lambda each: number(each[1].always_closed, "d")),
        ],
    )  # fmt: skip


def _distribution(gate: GateStatistics) -> TableCell:
    """Return a small histogram; its largest bin has the full height."""
    most = max(gate.histogram)
    width = _BAR * len(gate.histogram)
    bars = [
        element(
            "rect", x=place * _BAR, y=f"{_HEIGHT - height:.1f}", width=_BAR - 1, height=f"{height:.1f}",
            fill="currentColor",
        )
        for place, height in enumerate(_HEIGHT * share / most for share in gate.histogram)
    ]  # fmt: skip
    line = element("path", d=f"M0 {_HEIGHT}H{width}", stroke="currentColor", stroke_width=0.5)
    shares = ", ".join(f"{_percent(share)}" for share in gate.histogram)
    svg = element(
        "svg", *bars, line, width=width, height=_HEIGHT + 1, viewBox=f"0 0 {width} {_HEIGHT + 1}", role="img",
        aria_label=f"shares of {len(gate.histogram)} equal bins from 0 to 1: {shares}",
    )  # fmt: skip
    return TableCell(svg, gate.mean)


def _followers(followers: Sequence[Followed]) -> Markup:
    """Return a list of what is followed by which units."""
    lines = []
    for feature, description in FEATURES.items():
        units = [each for each in followers if each.feature == feature]
        if units:
            named = ", ".join(
                f"{each.unit} ({each.correlation:+.2f})".replace("-", "−") for each in units[:MAX_FOLLOWERS]
            )
            more = f" and {len(units) - MAX_FOLLOWERS} more" if len(units) > MAX_FOLLOWERS else ""
            lines.append(element("li", f"{description}: {named}{more}"))
    if not lines:
        return element(
            "p",
            f"No unit follows position, brackets or end (correlations are below {FOLLOWS}).",
            class_="meta",
        )
    title = element(
        "p",
        f"Units whose memory follows something, with Pearson's correlation where it is {FOLLOWS} or more:",
    )
    return element("div", title, element("ul", *lines))
