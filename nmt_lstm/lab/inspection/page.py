"""A trace as one HTML file: scripts draw the pictures in the browser from data inside the file."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np
from torch import Tensor

from nmt_lstm.lab.inspection.overview import Overview
from nmt_lstm.lab.inspection.scales import Bound, bound_of, memory_parts
from nmt_lstm.lab.inspection.text_index import index_of
from nmt_lstm.lab.inspection.trace import LayerTrace, Trace
from nmt_lstm.lab.inspection.trace_json import values_without_layers
from nmt_lstm.lab.report.heat_map import LEVELS
from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.lab.report.page import page, section
from nmt_lstm.lab.report.table import Column, Table, TableCell, number

__all__ = ["notebook_frame", "trace_page"]

SCRIPTS = ("drawing.js", "sentence_view.js", "text_view.js", "cell_view.js", "beam_view.js", "page.js")
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
    indexes = [index_of(text) for text in texts] if texts else [None] * len(traces)
    bounds = {key: _bounds(layers) for key, layers in _by_key(traces).items()}
    data = {
        "traces": [
            {**_data(trace, bounds), "command": command, "text": index}
            for trace, command, index in zip(traces, commands, indexes, strict=True)
        ]
    }
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


def notebook_frame(traces: Sequence[Trace]) -> str:
    """Return the page as a frame that a notebook shows."""
    inside = html.escape(trace_page(traces))
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
            "after how many pieces half of a unit is gone, by an LSTM's forget or a GRU's update gate.",
        ),
        ("influence", "how strongly the cell's last output still changes with each piece that it has read."),
        (
            "horizon",
            "how many pieces back that is at least 5 % of the last piece's; a backward cell reads from the end.",
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
        "What remembers how far. Half-life follows the gate alone; the horizon counts all paths, those through the "
        "recurrent weights too. It may be long in a network that was hardly trained: gradients pass, but nothing uses them.",
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


def _by_key(traces: Sequence[Trace]) -> dict[str, list[LayerTrace]]:
    """Return the cells that have the same place in all models."""
    found: dict[str, list[LayerTrace]] = {}
    for trace in traces:
        for layer in trace.layers:
            found.setdefault(layer.key, []).append(layer)
    return found


def _bounds(layers: Sequence[LayerTrace]) -> dict[str, Bound]:
    """Return where the scales of values around zero end, by kind: the same in all models, so that colours compare."""
    memories = [tensor for layer in layers for tensor in memory_parts(layer).values()]
    candidates = [
        values for layer in layers for name, values in layer.record.gates.items() if not layer.is_share(name)
    ]
    outputs = [layer.record.outputs for layer in layers]
    return {"memory": bound_of(memories), "gate": bound_of(candidates), "output": bound_of(outputs)}


def _data(trace: Trace, bounds: Mapping[str, Mapping[str, Bound]]) -> dict[str, Any]:
    return {
        **values_without_layers(trace),
        "layers": [_layer(layer, bounds[layer.key]) for layer in trace.layers],
    }


def _layer(layer: LayerTrace, bounds: Mapping[str, Bound]) -> dict[str, Any]:
    record = layer.record
    strips = [
        _strip(name, tensor, None if layer.is_share(name) else bounds["gate"], record.functions[name])
        for name, tensor in record.gates.items()
    ]
    for name, tensor in memory_parts(layer).items():
        strips.append(
            _strip(f"memory ({record.memory})" if name == "memory" else name, tensor, bounds["memory"])
        )
    strips.append(_strip("output (shown)", record.outputs, bounds["output"]))
    measured = layer.measured_half_lives
    # A backward cell reads the end first, so its last output is at the first piece.
    last = layer.survival[0 if layer.direction == "backward" else -1].clamp_min(1e-12)
    return {
        "key": layer.key,
        "name": layer.name,
        "side": layer.side,
        "cell": layer.cell,
        "units": record.after.shape[1],
        "strips": strips,
        "norms": {
            "memory": _norms(record.after),
            "change": _norms(record.after - record.before),
            "kept": None if record.kept is None else _norms(record.kept),
            "written": None if record.written is None else _norms(record.written),
        },
        "influence": [float(f"{value:.4g}") for value in (layer.survival / last).tolist()],
        "horizon": layer.horizon,
        "halfLives": _half_lives(layer.half_lives),
        "measuredHalfLives": None
        if measured is None
        else {"lives": _finite(measured.lives), "room": measured.room},
    }


def _strip(name: str, tensor: Tensor, bound: Bound | None, function: str = "") -> dict[str, Any]:
    """Return a (T, H) tensor in shades, position by position.

    Args:
        name: of the strip.
        tensor: the values.
        bound: where the shades of values around zero end; None for values between 0 and 1.
        function: that made a gate.
    """
    values = tensor.numpy()
    share = values if bound is None else (values / bound.value + 1.0) / 2.0
    shades = np.rint(np.clip(share, 0.0, 1.0) * (LEVELS - 1)).astype(np.uint8)
    return {
        "name": name,
        "kind": "gate" if bound is None else "signed",
        "function": function,
        "bound": 1.0 if bound is None else float(f"{bound.value:.3g}"),
        "clipped": bound is not None and bound.is_exceeded,
        "units": tensor.shape[1],
        "shades": base64.b64encode(shades.tobytes()).decode("ascii"),
    }


def _norms(tensor: Tensor) -> list[float]:
    """Return the Euclidean norm at each position, divided by the root of the width: comparable between sizes."""
    return [float(f"{value:.4g}") for value in (tensor.norm(dim=1) / tensor.shape[1] ** 0.5).tolist()]


def _half_lives(lives: Tensor | None) -> list[float] | None:
    """Return them with at most 1,000 positions, so that the units that lose nothing are numbers too."""
    return None if lives is None else [float(f"{value:.3g}") for value in lives.clamp_max(1e3).tolist()]


def _finite(lives: Tensor) -> list[float | None]:
    """Return them with null for what was not yet halved at the end."""
    return [float(f"{value:.3g}") if np.isfinite(value) else None for value in lives.tolist()]


def _script() -> str:
    """Return the page's script in one block, in which the files know one another's names and nobody else does."""
    return "{{\n{}\n}}".format("\n".join(_resource(name) for name in SCRIPTS))


def _resource(name: str) -> str:
    return resources.files("nmt_lstm.lab.inspection").joinpath(name).read_text(encoding="utf-8").strip()
