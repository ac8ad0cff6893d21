"""Gates, memory and output of a cell as strips in shades, which a page draws."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from nmt_lstm.lab.inspection.cell_trace import CellTrace
from nmt_lstm.lab.inspection.gate_roles import gate_role, open_throughout
from nmt_lstm.lab.inspection.scales import Bound, bound_of
from nmt_lstm.lab.report.heat_map import LEVELS

__all__ = ["signed_bounds", "strips"]


def signed_bounds(records: Sequence[CellTrace]) -> dict[str, Bound]:
    """Return where the scales of values around zero end, by kind.

    Args:
        records: of cells whose colours are to be compared.
    """
    memories = [tensor for record in records for tensor in record.memory_parts.values()]
    candidates = [
        values for record in records for name, values in record.gates.items() if not record.is_share(name)
    ]
    outputs = [record.outputs for record in records]
    return {"memory": bound_of(memories), "gate": bound_of(candidates), "output": bound_of(outputs)}


def strips(record: CellTrace, bounds: Mapping[str, Bound]) -> list[dict[str, Any]]:
    """Return the strips of a cell, ready for JSON: gates, memory, output.

    Args:
        record: what the cell did.
        bounds: see `signed_bounds`.
    """
    found = []
    for name, tensor in record.gates.items():
        is_share = record.is_share(name)
        strip = _strip(name, tensor, None if is_share else bounds["gate"], record.functions[name])
        if is_share:
            strip |= {"role": gate_role(record, name), "openThroughout": open_throughout(tensor)}
        found.append(strip)
    for name, tensor in record.memory_parts.items():
        title = f"memory ({record.memory})" if name == "memory" else name
        found.append(_strip(title, tensor, bounds["memory"]))
    return [*found, _strip("output (shown)", record.outputs, bounds["output"])]


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
