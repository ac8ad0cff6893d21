"""What a gate near 1 does to the memory, read from its values rather than from its name."""

from __future__ import annotations

from torch import Tensor

from nmt_lstm.lab.inspection.cell_trace import CellTrace

__all__ = ["gate_role", "open_throughout"]

OPEN = 0.9
# Of float32 along a sequence: values that are the same up to rounding.
TOLERANCE = 1e-4


def gate_role(record: CellTrace, gate: str) -> str:
    """Return what a cell does where a gate is near 1; empty if the values do not show it.

    An LSTM's forget gate and a GRU's update gate keep the memory: the memory's derivative with respect to the memory before
    is the gate itself.

    Args:
        record: what the cell did.
        gate: a gate with values between 0 and 1.
    """
    values = record.gates[gate]
    roles = []
    if record.retention is not None and record.written is not None:
        if _equal(record.retention, values):
            roles.append("keeps the memory")
        elif _equal(record.retention, 1.0 - values):
            roles.append("replaces the memory")
        others = [other for name, other in record.gates.items() if name != gate]
        if any(_is_product(record.written, values, other) for other in others):
            roles.append("writes the candidate")
    if any(_is_product(record.outputs, values, shown) for shown in (record.after, record.after.tanh())):
        roles.append("shows the memory")
    return f"near 1 {' and '.join(roles)}" if roles else ""


def open_throughout(values: Tensor) -> list[int]:
    """Return the units of a gate (T, H) that are above 0.9 at every position."""
    units: list[int] = (values > OPEN).all(0).nonzero()[:, 0].tolist()
    return units


def _is_product(product: Tensor, one: Tensor, other: Tensor) -> bool:
    # A cell's memory may be wider than its gates.
    return product.shape == one.shape == other.shape and _equal(product, one * other)


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one - other).abs().max() <= TOLERANCE)
