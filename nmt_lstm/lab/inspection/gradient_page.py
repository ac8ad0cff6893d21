"""Gradient flow for a reader: a table, a page, and a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import resources

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.inspection.gradient_sentences import cell_sentence, headline, horizon_text
from nmt_lstm.lab.inspection.gradient_trace import GradientTrace
from nmt_lstm.lab.report.axes import count_axis, marks_along, power_axis
from nmt_lstm.lab.report.line_chart import Axis, Panel, Reference, Series, chart_figure, chart_file
from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.lab.report.page import page, section
from nmt_lstm.lab.report.table import Column, Table, TableCell, number
from nmt_lstm.model.cell_locations import CellLocation
from nmt_lstm.model.gradient_flow import HORIZON_SHARE, Flow
from nmt_lstm.plain_text import count_of

__all__ = ["gradient_page", "gradient_picture", "gradient_table"]

# What is below has vanished for any training, and a longer axis would flatten what is above.
_MIN_NORM = 1e-6  # "a millionth" on the page
_MAX_NORM = 1e6
_TITLE = "Gradient flow through time"
_Y_TITLE = "norm, relative to lag 0"
_X_TITLE = "lag: positions before the error"


def gradient_table(traces: Sequence[GradientTrace]) -> Table:
    """Return the horizons of every cell in every model, at every length.

    Args:
        traces: one of each model.
    """
    rows = [(trace, flow) for trace in traces for flow in trace.flows]
    return Table.of(
        "Horizon: the first lag at which the norm of the gradient is below 10 % of that at lag 0; ≥: it is not, up to the "
        "longest lag. In brackets, the mean factor by which the norm changes with each position.",
        rows,
        [
            (Column("model", label=True), lambda row: row[0].model),
            (Column("layer"), lambda row: row[1].name),
            (Column("cell"), lambda row: row[1].cell),
            (Column("positions", numeric=True), lambda row: number(row[1].length, "d")),
            (Column("horizon before training", numeric=True), lambda row: _horizon_cell(row[1].before)),
            (Column("horizon after training", numeric=True), lambda row: _horizon_cell(row[1].after)),
        ],
    )


def gradient_page(traces: Sequence[GradientTrace], *, command: str = "") -> str:
    """Return a page that compares the gradient flow of models, cell by cell, before and after training.

    Args:
        traces: one of each model.
        command: the command that reproduces the page; empty omits it.
    """
    models = [trace.model for trace in traces]
    axes = _axes(traces)
    longest = max(trace.lengths[-1] for trace in traces)
    lengths = ", ".join(map(str, sorted({length for trace in traces for length in trace.lengths})))
    blocks = []
    for location in _locations(traces):
        figures = [
            chart_figure(caption, models, _panel(traces, location, moment, "", axes))
            for moment, caption in (("before", "Before training"), ("after", "After training"))
        ]
        blocks.append(
            section(
                location.name.capitalize(),
                element("p", cell_sentence(traces, location.key)),
                element("div", *figures, class_="charts"),
            )
        )
    count = count_of(traces[0].sequences, "sequence")
    return page(
        _TITLE,
        element("p", headline(traces), class_="answer"),
        element(
            "p",
            "How far gradients reach is not how well a network remembers: one that was hardly trained may pass gradients far "
            "back without using them, and one whose units are saturated may remember although hardly any gradient is left.",
        ),
        element(
            "p",
            f"Each line belongs to sequences of one length: {lengths} positions. Thick lines are those of {longest}. "
            f"The dashed line marks a tenth. All charts have the same scales; the lower edge is a millionth or less.",
        ),
        *blocks,
        section("Horizons", gradient_table(traces).html()),
        _reading_help(),
        *([section("Reproduce this page", element("pre", command))] if command else []),
        lead=f"{', '.join(models)}: mean of {count} of each length",
        style=resources.files("nmt_lstm.lab.inspection").joinpath("page.css").read_text(encoding="utf-8"),
    )


def gradient_picture(traces: Sequence[GradientTrace], layers: Sequence[str] = ()) -> str:
    """Return an SVG with a row for each cell: before training on the left, after training on the right.

    Args:
        traces: one of each model.
        layers: names of cells such as "encoder.1.forward", or of a layer for all of its cells, such as "encoder.1"; empty
            for all.

    Raises:
        ConfigurationError: no model has such a layer.
    """
    axes = _axes(traces)
    panels = [
        _panel(traces, location, moment, f"{location.name}, {moment} training", axes)
        for location in _chosen(_locations(traces), layers)
        for moment in ("before", "after")
    ]
    note = (
        "Norm of the gradient of the loss with respect to the state of the cell so many positions before.\n"
        "Dashed: a tenth, where the horizon is. Thin lines: shorter sequences. Lower edge: 10⁻⁶ or less."
    )
    return chart_file(_TITLE, note, [trace.model for trace in traces], panels, columns=2)


def _locations(traces: Sequence[GradientTrace]) -> list[CellLocation]:
    """Return the locations of the cells of all models, each once, from the source to the output."""
    locations = [flow.location for trace in traces for flow in trace.flows]
    # Sorting is stable: the directions of a layer stay in the order in which the models have them.
    ordered = sorted(locations, key=lambda location: (location.side != "encoder", location.layer))
    return list({location.key: location for location in ordered}.values())


def _chosen(locations: Sequence[CellLocation], layers: Sequence[str]) -> list[CellLocation]:
    for layer in layers:
        if not any(location.belongs_to(layer) for location in locations):
            known = ", ".join(location.key for location in locations)
            raise ConfigurationError(f"there is no layer '{layer}'; choose from {known}.")
    return [
        location
        for location in locations
        if not layers or any(location.belongs_to(layer) for layer in layers)
    ]


def _axes(traces: Sequence[GradientTrace]) -> tuple[Axis, Axis]:
    flows = [flow for trace in traces for flow in trace.flows]
    drawn = [_drawn(share) for flow in flows for each in (flow.before, flow.after) for share in each.relative]
    return count_axis(_X_TITLE, max(flow.length for flow in flows) - 1), power_axis(_Y_TITLE, drawn)


def _drawn(share: float) -> float:
    return min(_MAX_NORM, max(_MIN_NORM, share)) if math.isfinite(share) else _MAX_NORM


def _panel(
    traces: Sequence[GradientTrace], location: CellLocation, moment: str, title: str, axes: tuple[Axis, Axis]
) -> Panel:
    series = []
    for key, trace in enumerate(traces):
        for flow in trace.flows:
            if flow.location.key == location.key:
                shares = (flow.before if moment == "before" else flow.after).relative
                line = [(float(lag), _drawn(share)) for lag, share in enumerate(shares)]
                whole = flow.length == trace.lengths[-1]
                series.append(Series(key, line=line, dots=marks_along(line) if whole else (), thin=not whole))
    return Panel(title, *axes, series, (Reference(HORIZON_SHARE, ""),))


def _horizon_cell(flow: Flow) -> TableCell:
    text = horizon_text(flow)
    if not flow.error_arrives:
        return TableCell(text, -1)
    note = f"explodes, ×{max(flow.relative):.3g}" if flow.explodes else f"×{flow.factor:.2f}"
    return TableCell(text, flow.reach.lower_bound, note)


def _reading_help() -> Markup:
    terms = {
        "gradient": "of the loss at a position with respect to the cell's complete state some positions earlier "
        "(an LSTM's hidden and cell state together). It is the error signal that training receives there.",
        "lag": "the number of positions between the two, in the order in which the cell reads; a backward cell starts at the "
        "end of the sentence.",
        "norm": "Euclidean norm, averaged over the sequences; each line is divided by its value at lag 0.",
        "horizon": "the first lag at which the norm is below a tenth of that at lag 0, a measure for comparing cells. A short "
        "one is not a fault: the warning about vanishing gradients during training is given for less than a thousandth, 10 "
        "positions earlier.",
        "explodes": "the norm is more than ten times that at lag 0 at some lag, or not finite.",
        "decoder": "the loss is that of the last target piece alone; all paths count, including those through upper layers.",
        "encoder": "the error is the one that arrives at the last position the cell reads, from the loss of all target "
        "pieces. It is followed through the cell alone, because attention carries errors to every position directly.",
        "before training": "the initial weights, drawn with the model's settings and seed. They may pass gradients on over "
        "long distances that the network does not use yet; training keeps what helps.",
        "sequences": "sentences joined and cut to exactly these numbers of positions, so that all models have the same lags. "
        "They may be longer than any sentence of the training text.",
    }
    rows = [joined(element("dt", name), element("dd", text)) for name, text in terms.items()]
    return element(
        "details", element("summary", "How to read this page"), element("dl", *rows, class_="terms")
    )
