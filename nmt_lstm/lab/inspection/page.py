"""A trace as one HTML file: scripts draw the pictures in the browser from data inside the file."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib import resources

from nmt_lstm.lab.inspection.overview import Overview
from nmt_lstm.lab.inspection.page_data import page_data
from nmt_lstm.lab.inspection.trace import LayerTrace, Trace
from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.lab.report.page import page, section
from nmt_lstm.lab.report.table import Column, Table, TableCell, number

__all__ = ["notebook_frame", "trace_page"]

SCRIPTS = (
    "heat.js",
    "drawing.js",
    "sentence_view.js",
    "text_view.js",
    "cell_view.js",
    "beam_view.js",
    "page.js",
)
FRAME_HEIGHT = 900


def trace_page(
    traces: Sequence[Trace], *, commands: Sequence[str] = (), texts: Sequence[Overview] = ()
) -> str:
    """Return a page about one sentence in one model or several.

    Args:
        traces: of the same source.
        commands: one for each trace that makes its page again, for the advice about other beginnings.
        texts: one for each trace, where other sentences are looked up in which the same units are active.
    """
    first = traces[0]
    commands = commands or [f"nmt-lstm inspect -m {trace.model}" for trace in traces]
    data = page_data(traces, commands, texts)
    # "<" would end the element early: a piece may be "</script>".
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    models = ", ".join(dict.fromkeys(trace.model for trace in traces))
    return page(
        first.source_text,
        _reading_help(),
        element(
            "p", element("noscript", "This page draws its pictures by its own script, which is switched off.")
        ),
        _at_a_glance(traces).html(),
        element("div", *(_frame(trace, number) for number, trace in enumerate(traces)), class_="models"),
        element("div", "", id="hint", role="status", aria_live="polite"),
        element("script", Markup(text), type="application/json", id="traces"),
        lead=f"Inside {models}",
        style=_resource("page.css"),
        script=_script(),
    )


def notebook_frame(document: str) -> str:
    """Return a page as a frame that a notebook shows."""
    inside = html.escape(document)
    return f'<iframe srcdoc="{inside}" width="100%" height="{FRAME_HEIGHT}" style="border:0"></iframe>'


def _reading_help() -> Markup:
    terms = [
        ("colours", "blue: open, or above zero; red: below zero; white: closed, or zero."),
        ("signs", "▁ stands for a space, ⏎ for the end of the sentence."),
        (
            "open and closed",
            "shares of a gate's values above 0.9 and below 0.1: it lets nearly all or nothing through.",
        ),
        (
            "kept and written",
            "the memory after a piece is what was kept of the memory before, plus what was written.",
        ),
        (
            "half-life",
            "after how many pieces half of a unit's memory is gone: by its forget or update gate, or measured after a change.",
        ),
        (
            "influence",
            "how strongly the cell's last output still changes with each piece that it has read; 100 % is the last one.",
        ),
        (
            "horizon",
            "how many pieces back that is at least 5 % of the last piece's; a backward cell reads from the end.",
        ),
        (
            "several models",
            "the same colour and the same height of a bar mean the same in all of them.",
        ),
        (
            "depends on",
            "how strongly the probability of the chosen piece changes with each piece read before it.",
        ),
    ]
    rows = [joined(element("dt", name), element("dd", text)) for name, text in terms]
    return element(
        "details", element("summary", "How to read this page"), element("dl", *rows, class_="terms")
    )


def _at_a_glance(traces: Sequence[Trace]) -> Table:
    """Return the numbers by which models and layers are compared."""
    layers = [(trace, layer) for trace in traces for layer in trace.layers]
    return Table.of(
        "How far small changes reach. Half-life follows the gate alone; the horizon counts all paths, those through the "
        "recurrent weights too. It may be long in a network that was hardly trained: gradients pass, but nothing uses them. "
        "It may be short in a network that remembers: a saturated unit can hold a value that small changes do not move.",
        layers,
        [
            (Column("model", label=True), lambda each: each[0].model),
            (Column("layer"), lambda each: each[1].name),
            (Column("cell"), lambda each: each[1].cell),
            (Column("units", numeric=True), lambda each: number(each[1].record.after.shape[1], "d")),
            (Column("horizon", numeric=True, meaning="pieces back"), _horizon),
            (Column("half-life", numeric=True, meaning="pieces, median over units"), _half_life),
        ],
    )


def _horizon(each: tuple[Trace, LayerTrace]) -> TableCell:
    layer = each[1]
    whole = layer.horizon == len(layer.survival) - 1
    return TableCell(f"all {layer.horizon}" if whole else str(layer.horizon), layer.horizon)


def _half_life(each: tuple[Trace, LayerTrace]) -> TableCell:
    lives = each[1].half_lives
    if lives is None:
        return TableCell("", None)
    return number(
        min(float(lives.median()), 1e3), lambda value: "1,000 or more" if value >= 1e3 else f"{value:.1f}"
    )


def _frame(trace: Trace, number: int) -> Markup:
    """Return one model's empty section, which `page.js` fills."""
    settings = ", ".join(filter(None, (f"{key} {value}" for key, value in trace.settings.items() if value)))
    return section(
        trace.model,
        element("p", settings, class_="meta"),
        element("p", trace.target_text, class_="answer"),
        element("div", "", class_="trace", data_trace=str(number)),
        anchor=f"model-{number + 1}",
    )


def _script() -> str:
    """Return the page's script in one block, in which the files know one another's names and nobody else does."""
    return "{{\n{}\n}}".format("\n".join(_resource(name) for name in SCRIPTS))


def _resource(name: str) -> str:
    return resources.files("nmt_lstm.lab.inspection").joinpath(name).read_text(encoding="utf-8").strip()
