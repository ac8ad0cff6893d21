"""A trace as plain values for JSON: a contract, which other programs read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nmt_lstm.lab.inspection.beam_tree import BeamTree
from nmt_lstm.lab.inspection.perturbation import MeasuredHalfLives

if TYPE_CHECKING:
    from nmt_lstm.lab.inspection.trace import LayerTrace, Trace

__all__ = ["json_number", "layer_values", "values_without_layers"]

FORMAT = "nmt-lstm trace"
VERSION = 1
"""Raised when a key is renamed or changes its meaning; keys may be added without."""
DIGITS = 5


def values_without_layers(trace: Trace) -> dict[str, Any]:
    """Return all values but those of the layers, which are most of them."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": trace.model,
        "settings": dict(trace.settings),
        "source": {"text": trace.source_text, "pieces": list(trace.source_pieces)},
        "target": {
            "text": trace.target_text,
            "pieces": list(trace.target_pieces),
            "log_probabilities": _numbers(trace.connectivity.log_probabilities),
            "alternatives": _alternatives(trace),
        },
        "attention": {
            "weights": _numbers(trace.attention),
            "entropy_bits": _numbers(trace.attention_entropy),
            "alignment": [list(pair) for pair in trace.alignment],
        },
        "connectivity": {
            "source": _numbers(trace.connectivity.source),
            "target": _numbers(trace.connectivity.target),
            "rivals": [trace.pieces[piece] for piece in trace.connectivity.rivals.tolist()],
            "contrast_source": _numbers(trace.connectivity.contrast_source),
            "contrast_target": _numbers(trace.connectivity.contrast_target),
        },
        "search": None if trace.search is None else _search(trace, trace.search),
    }


def layer_values(layer: LayerTrace) -> dict[str, Any]:
    """Return the values of one cell."""
    record = layer.record
    return {
        "side": layer.side,
        "layer": layer.layer,
        "direction": layer.direction,
        "cell": layer.cell,
        "gates": {
            name: {"function": record.functions[name], "values": _numbers(tensor)}
            for name, tensor in record.gates.items()
        },
        "states": {name: _numbers(tensor) for name, tensor in record.states.items()},
        "outputs": _numbers(record.outputs),
        "memory": record.memory,
        "memory_before": _numbers(record.before),
        "retention": None if record.retention is None else _numbers(record.retention),
        "survival": _numbers(layer.survival),
        "horizon": layer.horizon,
        "half_lives": None if layer.half_lives is None else _numbers(layer.half_lives),
        "half_lives_measured": _measured(layer.measured_half_lives),
    }


def _measured(found: MeasuredHalfLives | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"units": found.units.tolist(), "values": _numbers(found.lives), "room": found.room}


def _numbers(tensor: Tensor) -> Any:
    return _rounded(tensor.tolist())


def _rounded(values: Any) -> Any:
    return [_rounded(value) for value in values] if isinstance(values, list) else json_number(values)


def json_number(value: float) -> float | None:
    """Return a number in five significant digits; null where JSON has none (infinite)."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _alternatives(trace: Trace) -> list[list[dict[str, Any]]]:
    found = trace.connectivity
    return [
        [
            {"piece": trace.pieces[piece], "log_probability": json_number(value)}
            for piece, value in zip(row, values, strict=True)
        ]
        for row, values in zip(
            found.alternatives.tolist(), found.alternative_log_probabilities.tolist(), strict=True
        )
    ]


def _search(trace: Trace, tree: BeamTree) -> dict[str, Any]:
    return {
        "beam_size": tree.beam_size,
        "hypotheses": [
            {"score": json_number(each.score), "log_probability": json_number(each.log_probability)}
            for each in tree.hypotheses
        ],
        "nodes": [
            {
                "piece": trace.pieces[node.piece],
                "parent": node.parent,
                "log_probability": json_number(node.log_probability),
                "total": json_number(node.total),
                "fate": node.fate,
                "rank": node.rank,
            }
            for node in tree.nodes
        ],
    }
