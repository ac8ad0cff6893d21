"""What the page of a trace contains as data: numbers, and strips in shades, which its scripts draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from nmt_lstm.lab.inspection.overview import Overview
from nmt_lstm.lab.inspection.scales import Bound
from nmt_lstm.lab.inspection.strips import signed_bounds, strips
from nmt_lstm.lab.inspection.text_index import index_of
from nmt_lstm.lab.inspection.trace import LayerTrace, Trace
from nmt_lstm.lab.inspection.trace_json import values_without_layers

__all__ = ["page_data"]


def page_data(traces: Sequence[Trace], commands: Sequence[str], texts: Sequence[Overview]) -> dict[str, Any]:
    """Return values for JSON.

    Args:
        traces: of the same source.
        commands: one for each trace.
        texts: one for each trace, or none.
    """
    indexes = [index_of(text) for text in texts] if texts else [None] * len(traces)
    bounds = {
        key: signed_bounds([layer.record for layer in layers]) for key, layers in _by_key(traces).items()
    }
    return {
        "traces": [
            {**_data(trace, bounds), "command": command, "text": index}
            for trace, command, index in zip(traces, commands, indexes, strict=True)
        ]
    }


def _by_key(traces: Sequence[Trace]) -> dict[str, list[LayerTrace]]:
    """Return the cells that have the same place in all models."""
    cells: dict[str, list[LayerTrace]] = {}
    for trace in traces:
        for layer in trace.layers:
            cells.setdefault(layer.key, []).append(layer)
    return cells


def _data(trace: Trace, bounds: Mapping[str, Mapping[str, Bound]]) -> dict[str, Any]:
    return {
        **values_without_layers(trace),
        "layers": [_layer(layer, bounds[layer.key]) for layer in trace.layers],
    }


def _layer(layer: LayerTrace, bounds: Mapping[str, Bound]) -> dict[str, Any]:
    record = layer.record
    measured = layer.measured_half_lives
    # A backward cell reads the end first, so its last output is at the first piece.
    last = layer.survival[0 if layer.direction == "backward" else -1].clamp_min(1e-12)
    return {
        "key": layer.key,
        "name": layer.name,
        "side": layer.side,
        "cell": layer.cell,
        "units": record.after.shape[1],
        "gates": len(record.gates),
        "strips": strips(record, bounds),
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


def _norms(tensor: Tensor) -> list[float]:
    """Return the Euclidean norm at each position, divided by the root of the width: comparable between sizes."""
    return [float(f"{value:.4g}") for value in (tensor.norm(dim=1) / tensor.shape[1] ** 0.5).tolist()]


def _half_lives(lives: Tensor | None) -> list[float] | None:
    """Return them with at most 1,000 positions, so that the units that lose nothing are numbers too."""
    return None if lives is None else [float(f"{value:.3g}") for value in lives.clamp_max(1e3).tolist()]


def _finite(lives: Tensor) -> list[float | None]:
    """Return them with null for what was not yet halved at the end."""
    return [float(f"{value:.3g}") if np.isfinite(value) else None for value in lives.tolist()]
