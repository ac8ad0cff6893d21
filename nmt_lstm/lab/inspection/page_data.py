"""What the page of a trace contains as data: numbers, and strips in shades, which its scripts draw."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from nmt_lstm.lab.inspection.gate_roles import gate_role, open_throughout
from nmt_lstm.lab.inspection.overview import Overview
from nmt_lstm.lab.inspection.scales import Bound, bound_of, memory_parts
from nmt_lstm.lab.inspection.text_index import index_of
from nmt_lstm.lab.inspection.trace import LayerTrace, Trace
from nmt_lstm.lab.inspection.trace_json import values_without_layers
from nmt_lstm.lab.report.heat_map import LEVELS

__all__ = ["page_data"]


def page_data(traces: Sequence[Trace], commands: Sequence[str], texts: Sequence[Overview]) -> dict[str, Any]:
    """Return values for JSON.

    Args:
        traces: of the same source.
        commands: one for each trace.
        texts: one for each trace, or none.
    """
    indexes = [index_of(text) for text in texts] if texts else [None] * len(traces)
    bounds = {key: _bounds(layers) for key, layers in _by_key(traces).items()}
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
    strips = []
    for name, tensor in record.gates.items():
        strip = _strip(name, tensor, None if layer.is_share(name) else bounds["gate"], record.functions[name])
        if layer.is_share(name):
            strip |= {"role": gate_role(record, name), "openThroughout": open_throughout(tensor)}
        strips.append(strip)
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
        "gates": len(record.gates),
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
