"""How far gradients reach back in the cells of a model, before and after its training, as values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmt_lstm.lab.inspection.trace_json import json_number
from nmt_lstm.model.cell_locations import CellLocation
from nmt_lstm.model.gradient_flow import EXPLOSION_FACTOR, HORIZON_SHARE, Flow
from nmt_lstm.plain_text import json_text

__all__ = ["FORMAT", "VERSION", "CellFlow", "GradientTrace"]

FORMAT = "nmt-lstm gradient flow"
VERSION = 1
"""Raised when a key is renamed or changes its meaning, but not when one is added."""


@dataclass(frozen=True)
class CellFlow:
    """The gradient flow of one cell in sequences of one length; lags are counted from the last position that it reads."""

    cell: str
    """The registered name of the cell."""
    length: int
    """Positions, n; the longest lag is n - 1."""
    before: Flow
    """In the network with its initial weights."""
    after: Flow
    """In the trained network."""

    @property
    def location(self) -> CellLocation:
        """The cell's location in the trained network."""
        return self.after.location

    @property
    def name(self) -> str:
        """The cell in words: "encoder, layer 1, backward"."""
        return self.location.name


@dataclass(frozen=True)
class GradientTrace:
    """How far gradients reach back in one model."""

    model: str
    """The model folder, or the name of a built-in model."""
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    """The translations of `sources`: the model's own, or the given target."""
    sequences: int
    """Sequences of each length, whose norms are averaged."""
    flows: tuple[CellFlow, ...]
    """By length, then from the source to the output."""

    @property
    def lengths(self) -> list[int]:
        """The lengths, in ascending order."""
        return sorted({flow.length for flow in self.flows})

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as plain values, as `to_json` writes them."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "model": self.model,
            "sources": list(self.sources),
            "targets": list(self.targets),
            "sequences": self.sequences,
            "horizon_share": HORIZON_SHARE,
            "growth": EXPLOSION_FACTOR,
            "flows": [
                {
                    "side": flow.location.side,
                    "layer": flow.location.layer,
                    "direction": flow.location.direction,
                    "cell": flow.cell,
                    "length": flow.length,
                    "before": _plain(flow.before),
                    "after": _plain(flow.after),
                }
                for flow in self.flows
            ],
        }

    def to_json(self) -> str:
        """Return the trace as one line of JSON."""
        return json_text(self.to_dict())

    def to_svg(self, layers: Sequence[str] = ()) -> str:
        """Return a picture: a row for each cell, before and after training side by side.

        Args:
            layers: names of cells such as "encoder.1.forward", or of layers such as "encoder.1"; empty for all.

        Raises:
            ConfigurationError: there is no such layer.
        """
        from nmt_lstm.lab.inspection.gradient_page import gradient_picture

        return gradient_picture([self], layers)

    def _repr_html_(self) -> str:
        """Return the page as a frame, for notebooks."""
        from nmt_lstm.lab.inspection.gradient_page import gradient_page
        from nmt_lstm.lab.inspection.page import notebook_frame

        return notebook_frame(gradient_page([self]))


def _plain(flow: Flow) -> Mapping[str, Any]:
    return {
        "norms": [json_number(norm) for norm in flow.norms],
        "horizon": flow.horizon,
        "grows": flow.explodes,
        "factor": json_number(flow.factor),
    }
