"""A model over a text: gates, dead and saturated units, horizons, and units that follow something, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from nmt_lstm.lab.inspection.inspection import Inspector, cell_name
from nmt_lstm.lab.inspection.text_sample import read_sentences, sampled
from nmt_lstm.lab.inspection.trace_json import json_number
from nmt_lstm.lab.inspection.unit_statistics import UnitStatistics
from nmt_lstm.model.cell_locations import cell_locations
from nmt_lstm.plain_text import json_text

__all__ = ["FORMAT", "VERSION", "CellOverview", "Overview", "overview"]

FORMAT = "nmt-lstm overview"
VERSION = 1
"""Raised when a key is renamed or changes its meaning; keys may be added without."""
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class CellOverview:
    """One cell over the text."""

    key: str
    """Such as "encoder.1.backward"."""
    name: str
    """Such as "encoder, layer 1, backward"."""
    cell: str
    """The registered name of the cell."""
    statistics: UnitStatistics

    @property
    def horizons(self) -> list[float]:
        """The smallest horizon of a sentence, the quartiles, and the largest."""
        values = torch.tensor(self.statistics.horizons, dtype=torch.float32)
        return [float(values.quantile(share)) for share in QUANTILES]

    @property
    def half_lives(self) -> list[float] | None:
        """The same of the units' half-lives; None for a cell that gives no update."""
        lives = self.statistics.half_lives
        return (
            None
            if lives is None
            else [float(lives.quantile(share, interpolation="nearest")) for share in QUANTILES]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        statistics = self.statistics
        values = {
            "layer": self.key,
            "cell": self.cell,
            "units": statistics.units,
            "positions": statistics.positions,
            "gates": {name: asdict(gate) for name, gate in statistics.gates.items()},
            "dead_units": statistics.dead,
            "saturated_units": statistics.saturated,
            "horizon_quantiles": self.horizons,
            "horizon_whole_sentences": statistics.whole_sentences,
            "half_life_quantiles": self.half_lives,
            "followers": [asdict(each) for each in statistics.followers()],
        }
        return {key: _plain(value) for key, value in values.items()}


@dataclass(frozen=True)
class Overview:
    """A model over a text."""

    model: str
    settings: Mapping[str, str]
    """Languages, wiring and attention."""
    cells: tuple[CellOverview, ...]
    """From the source to the output."""
    sources: tuple[tuple[str, ...], ...]
    """What the encoder's cells read, sentence by sentence."""
    targets: tuple[tuple[str, ...], ...]
    """What the decoder's cells read."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, the contract of `to_json`; quantiles are the minimum, the quartiles and the maximum."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "model": self.model,
            "settings": dict(self.settings),
            "sentences": len(self.sources),
            "layers": [cell.to_dict() for cell in self.cells],
        }

    def to_json(self) -> str:
        """Return one line of JSON; see `to_dict`."""
        return json_text(self.to_dict())


def overview(inspector: Inspector, lines: Iterable[str]) -> Overview:
    """Let a model read and translate the sentences of a text, at most 100 of them, and return what its cells did.

    Raises:
        DataError: the text has no sentence of 1 to 100 pieces.
    """
    statistics = {location.key: UnitStatistics() for location in cell_locations(inspector.model)}
    sources, targets = [], []
    for sentence in read_sentences(inspector, sampled(lines)):
        for cell in sentence.cells:
            statistics[cell.key].add(cell.record, sentence.pieces_of(cell.key), cell.horizon)
        sources.append(sentence.source)
        targets.append(sentence.target)
    cells = [
        CellOverview(
            location.key,
            location.name,
            cell_name(inspector.side_settings(location.side)),
            statistics[location.key],
        )
        for location in cell_locations(inspector.model)
    ]
    return Overview(inspector.name, inspector.settings, tuple(cells), tuple(sources), tuple(targets))


def _plain(value: Any) -> Any:
    """Return a value with rounded numbers, null for infinite ones."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return json_number(value) if isinstance(value, float) else value
