"""Gradient flow for a reader: a table, sentences that say what it shows, a page, and a picture."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from importlib import resources

from nmt_lstm.lab.inspection.gradient_flow import CellFlow, GradientTrace
from nmt_lstm.lab.report.axes import count_axis, marks_along, power_axis
from nmt_lstm.lab.report.line_chart import Axis, Panel, Reference, Series, chart_figure, chart_file
from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.lab.report.page import page, section
from nmt_lstm.lab.report.table import Column, Table, TableCell, number
from nmt_lstm.model.gradient_flow import HORIZON_SHARE, Flow
from nmt_lstm.plain_text import joined_names

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
    for name in _names(traces):
        figures = [
            chart_figure(caption, models, _panel(traces, name, moment, "", axes))
            for moment, caption in (("before", "Before training"), ("after", "After training"))
        ]
        blocks.append(
            section(
                name.capitalize(),
                element("p", _sentence(traces, name)),
                element("div", *figures, class_="charts"),
            )
        )
    count = "1 sequence" if traces[0].sequences == 1 else f"{traces[0].sequences} sequences"
    return page(
        _TITLE,
        element("p", _verdict(traces), class_="answer"),
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


def gradient_picture(traces: Sequence[GradientTrace]) -> str:
    """Return an SVG with a row for each cell: before training on the left, after training on the right."""
    axes = _axes(traces)
    panels = [
        _panel(traces, name, moment, f"{name}, {moment} training", axes)
        for name in _names(traces)
        for moment in ("before", "after")
    ]
    note = (
        "Norm of the gradient of the loss with respect to the state of the cell so many positions before.\n"
        "Dashed: a tenth, where the horizon is. Thin lines: shorter sequences. Lower edge: 10⁻⁶ or less."
    )
    return chart_file(_TITLE, note, [trace.model for trace in traces], panels, columns=2)


def _names(traces: Sequence[GradientTrace]) -> list[str]:
    """Return the names of the cells of all models, from the source to the output."""
    flows = [flow for trace in traces for flow in trace.flows]
    # Sorting is stable: the directions of a layer stay in the order in which the models have them.
    ordered = sorted(flows, key=lambda flow: (flow.side != "encoder", flow.layer))
    return list(dict.fromkeys(flow.name for flow in ordered))


def _axes(traces: Sequence[GradientTrace]) -> tuple[Axis, Axis]:
    flows = [flow for trace in traces for flow in trace.flows]
    drawn = [_drawn(share) for flow in flows for each in (flow.before, flow.after) for share in each.relative]
    return count_axis(_X_TITLE, max(flow.length for flow in flows) - 1), power_axis(_Y_TITLE, drawn)


def _drawn(share: float) -> float:
    return min(_MAX_NORM, max(_MIN_NORM, share)) if math.isfinite(share) else _MAX_NORM


def _panel(
    traces: Sequence[GradientTrace], name: str, moment: str, title: str, axes: tuple[Axis, Axis]
) -> Panel:
    series = []
    for key, trace in enumerate(traces):
        for flow in trace.flows:
            if flow.name == name:
                shares = (flow.before if moment == "before" else flow.after).relative
                line = [(float(lag), _drawn(share)) for lag, share in enumerate(shares)]
                whole = flow.length == trace.lengths[-1]
                series.append(Series(key, line=line, dots=marks_along(line) if whole else (), thin=not whole))
    return Panel(title, *axes, series, (Reference(HORIZON_SHARE, ""),))


def _longest(trace: GradientTrace, name: str) -> CellFlow | None:
    """Return the flow of a cell in the longest sequences; None if the model does not have the cell."""
    found = [flow for flow in trace.flows if flow.name == name]
    return max(found, key=lambda flow: flow.length, default=None)


def _sentence(traces: Sequence[GradientTrace], name: str) -> str:
    found = [(trace.model, flow) for trace in traces if (flow := _longest(trace, name)) is not None]
    said = [f"{model} {_horizon(flow.before)} → {_horizon(flow.after)}" for model, flow in found]
    grown = [model for model, flow in found if flow.after.explodes]
    explosion = f" Gradients explode after training in {joined_names(grown)}." if grown else ""
    return f"Horizon before → after training, in positions: {'; '.join(said)}.{explosion}"


def _verdict(traces: Sequence[GradientTrace]) -> str:
    """Return in one or two sentences how far gradients reach, in the longest sequences."""
    if len(traces) == 1:
        flows = _at_longest(traces[0])
        before, after = _range([flow.before for flow in flows]), _range([flow.after for flow in flows])
        return f"Gradients fall below a tenth after {after} positions; before training, after {before}."
    reaches = {
        trace.model: statistics.median(_reach(flow.after) for flow in _at_longest(trace)) for trace in traces
    }
    farthest = [model for model, reach in reaches.items() if reach == max(reaches.values())]
    said = [f"{_range([flow.after for flow in _at_longest(trace)])} in {trace.model}" for trace in traces]
    return (
        f"After training, gradients reach farthest back in {joined_names(farthest)}. "
        f"Horizons, in positions: {', '.join(said)}."
    )


def _at_longest(trace: GradientTrace) -> list[CellFlow]:
    return [flow for flow in trace.flows if flow.length == trace.lengths[-1]]


def _range(flows: Sequence[Flow]) -> str:
    ordered = sorted(flows, key=_reach)
    first, last = _horizon(ordered[0]), _horizon(ordered[-1])
    return first if first == last else f"{first} to {last}"


def _reach(flow: Flow) -> float:
    return len(flow.norms) if flow.horizon is None else flow.horizon


def _horizon(flow: Flow) -> str:
    if not flow.norms[0]:
        return "no error arrives"
    return f"≥ {len(flow.norms) - 1}" if flow.horizon is None else str(flow.horizon)


def _horizon_cell(flow: Flow) -> TableCell:
    if not flow.norms[0]:
        return TableCell(_horizon(flow), -1)
    note = f"explodes, ×{max(flow.relative):.3g}" if flow.explodes else f"×{flow.factor:.2f}"
    return TableCell(_horizon(flow), _reach(flow), note)


def _reading_help() -> Markup:
    terms = {
        "gradient": "of the loss at a position with respect to the cell's complete state some positions earlier "
        "(an LSTM's hidden and cell state together). It is the error signal that training receives there.",
        "lag": "the number of positions between the two, in the order in which the cell reads; a backward cell starts at the "
        "end of the sentence.",
        "norm": "Euclidean norm, averaged over the sequences; each line is divided by its value at lag 0.",
        "horizon": "the first lag at which the norm is below a tenth of that at lag 0.",
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
