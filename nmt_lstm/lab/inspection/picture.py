"""What a static picture of a trace shows, whichever program draws it: attention, gates and memory as heat maps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from torch import Tensor

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.inspection.scales import bound_of
from nmt_lstm.lab.inspection.trace import CONTENTS, LayerTrace, Trace, shown
from nmt_lstm.lab.report.heat_map import (
    LEVELS,
    SHARE,
    SIGNED,
    Block,
    HeatMap,
    Picture,
    Scale,
)
from nmt_lstm.plain_text import printable

__all__ = ["picture"]

_ATTENTION = Scale(0.0, 1.0, SHARE, ((1.0, "all"), (0.5, "half"), (0.0, "none")))
_GATE = Scale(0.0, 1.0, SHARE, ((1.0, "1 open"), (0.5, "0.5"), (0.0, "0 closed")))


def picture(
    traces: Sequence[Trace],
    *,
    contents: Collection[str] = CONTENTS,
    layers: Sequence[str] = (),
) -> Picture:
    """Return what to draw; several models stand side by side, with the same scales.

    Args:
        traces: of the same source, one for each model.
        contents: what to show, of `CONTENTS`.
        layers: names of cells such as "encoder.1.forward", or of a layer for all of its cells, such as "encoder.1"; the
            first cell of each model by default.

    Raises:
        ConfigurationError: there is nothing to show, or a model has no such layer.
    """
    for content in contents:
        if content not in CONTENTS:
            raise ConfigurationError(f"a picture has no '{content}'; choose from {', '.join(CONTENTS)}.")
    chosen = [_chosen(trace, layers) for trace in traces]
    every = [layer for each in chosen for layer in each]
    memories = _signed_scale([tensor for layer in every for tensor in layer.record.memory_parts.values()])
    candidates = _signed_scale(
        [
            layer.record.gates[name]
            for layer in every
            for name in layer.record.gates
            if not layer.record.is_share(name)
        ]
    )
    columns = []
    for trace, own in zip(traces, chosen, strict=True):
        blocks = [_attention(trace)] if "attention" in contents else []
        for layer in own:
            maps = _gates(layer, candidates) if "gates" in contents else []
            maps += _memory(layer, memories) if "memory" in contents else []
            if maps:
                blocks.append(Block(f"{layer.name}: {layer.cell}", _labels(trace.pieces_of(layer)), maps))
        if not blocks:
            raise ConfigurationError(
                f"{trace.model}: {', '.join(layer.name for layer in own)} names no gates; show the memory instead."
            )
        heading = f"{trace.model}: {trace.target_text}" if len(traces) > 1 else ""
        columns.append((printable(heading), blocks))
    first = traces[0]
    title = first.source_text if len(traces) > 1 else f"{first.source_text} → {first.target_text}"
    return Picture(printable(title), _note(contents), columns)


def _chosen(trace: Trace, names: Sequence[str]) -> list[LayerTrace]:
    """Return the cells of all names, each once, from the source to the output."""
    wanted = {layer.key for name in names or [trace.layers[0].key] for layer in trace.layers_called(name)}
    return [layer for layer in trace.layers if layer.key in wanted]


def _note(contents: Collection[str]) -> str:
    lines = []
    if "attention" in contents:
        lines.append("Attention: a row for each target piece, a column for each source piece it looked at.")
    if "gates" in contents or "memory" in contents:
        lines.append("Cells: a column for each piece that the cell reads, a thin row for each unit.")
    lines.append("⏎ is the end of the sentence, <s> its beginning.")
    return "\n".join(lines)


def _attention(trace: Trace) -> Block:
    rows = _labels(trace.target_pieces)
    return Block(
        "attention", _labels(trace.source_pieces),
        [HeatMap("attention", _shades(trace.attention, _ATTENTION), _ATTENTION, rows)],
    )  # fmt: skip


def _gates(layer: LayerTrace, candidates: Scale) -> list[HeatMap]:
    maps = []
    for name, values in layer.record.gates.items():
        scale = _GATE if layer.record.is_share(name) else candidates
        maps.append(HeatMap(name, _shades(values.T, scale), scale, note=f"{values.shape[1]} units"))
    return maps


def _memory(layer: LayerTrace, scale: Scale) -> list[HeatMap]:
    notes = {"kept": "of the memory before", "written": "by this piece", "memory": "kept + written"}
    tensors = layer.record.memory_parts
    if len(tensors) == 1:
        notes = {"memory": f"{layer.record.after.shape[1]} units"}
    return [
        HeatMap(name, _shades(values.T, scale), scale, note=notes[name]) for name, values in tensors.items()
    ]


def _signed_scale(tensors: Sequence[Tensor]) -> Scale:
    """Return a scale with zero in the middle."""
    bound = bound_of(tensors)
    more, less = (" or more", " or less") if bound.is_exceeded else ("", "")
    marks = (
        (bound.value, f"+{bound.value:.2g}{more}"),
        (0.0, "0"),
        (-bound.value, f"−{bound.value:.2g}{less}"),
    )
    return Scale(-bound.value, bound.value, SIGNED, marks)


def _labels(pieces: Sequence[str]) -> list[str]:
    return [printable(shown(piece)) for piece in pieces]


def _shades(values: Tensor, scale: Scale) -> bytes:
    share = (values.numpy() - scale.low) / (scale.high - scale.low)
    return np.rint(np.clip(share, 0.0, 1.0) * (LEVELS - 1)).astype(np.uint8).tobytes()
