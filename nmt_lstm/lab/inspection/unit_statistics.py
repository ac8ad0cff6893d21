"""What the units of one cell do over a text: how open gates are, which units are dead, and what units follow.

Shapes: N positions of all sentences together, T positions of a sentence, H hidden width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nmt_lstm.lab.inspection.cell_trace import CellTrace
from nmt_lstm.lab.inspection.memory_span import half_lives

__all__ = ["Followed", "GateStatistics", "UnitStatistics", "features_of"]

OPEN, CLOSED = 0.9, 0.1
ALWAYS = 0.95
"""Share of the positions at which a unit that is "always" open, closed or saturated is so."""
DEAD = 0.01
"""A unit whose output never is farther from zero tells the layers above nothing."""
SATURATED = 0.95
"""Size of an output that hardly moves any more, of at most 1."""
FOLLOWS = 0.7
"""Size of Pearson's correlation from which a unit counts as following something."""
BINS = 20
FEATURES = ("position", "brackets", "end")
_PAIRS = {
    "(": ")",
    "[": "]",
    "{": "}",
    "（": "）",
    "「": "」",
    "『": "』",
    "“": "”",
    "„": "“",
    "«": "»",
    "《": "》",
}


@dataclass(frozen=True)
class GateStatistics:
    """One gate over a text."""

    mean: float
    open: float
    """Share of values above 0.9."""
    closed: float
    """Share of values below 0.1."""
    always_open: int
    """Units that are open at 95 % of the positions or more."""
    always_closed: int
    histogram: tuple[float, ...]
    """Shares of 20 equal bins from 0 to 1."""


@dataclass(frozen=True)
class Followed:
    """A unit that follows something."""

    unit: int
    feature: str
    """"position" (number of the piece), "brackets" (inside of brackets or quotation marks) or "end" (the last piece)."""
    correlation: float
    """Pearson's, of the unit's memory with the feature, over all positions."""


class UnitStatistics:
    """The units of one cell, gathered sentence by sentence."""

    def __init__(self) -> None:
        self.horizons: list[int] = []
        self.lengths: list[int] = []
        self._memories: list[Tensor] = []
        self._features: list[Tensor] = []
        self._retentions: list[Tensor] = []
        self._gates: dict[str, list[Tensor]] = {}
        self._largest: Tensor | None = None
        self._saturated = torch.zeros(())

    def add(self, record: CellTrace, pieces: Sequence[str], horizon: int) -> None:
        """Add a sentence.

        Args:
            record: in the order of the text.
            pieces: T of them, what the cell read.
            horizon: in this sentence.
        """
        self.horizons.append(horizon)
        self.lengths.append(len(pieces))
        self._memories.append(record.after)
        self._features.append(features_of(pieces))
        if record.retention is not None:
            self._retentions.append(record.retention.half())
        for name, values in record.gates.items():
            if record.is_share(name):
                self._gates.setdefault(name, []).append(values.half())
        sizes = record.outputs.abs()
        largest = sizes.amax(0)
        self._largest = largest if self._largest is None else torch.maximum(self._largest, largest)
        self._saturated = self._saturated + (sizes > SATURATED).sum(0)

    @property
    def positions(self) -> int:
        """N."""
        return sum(self.lengths)

    @property
    def units(self) -> int:
        """H."""
        return self._memories[0].shape[1]

    @property
    def memory(self) -> Tensor:
        """(N, H): the memory after each position."""
        return torch.cat(self._memories)

    @property
    def gates(self) -> dict[str, GateStatistics]:
        """The gates that lie between 0 and 1."""
        return {name: _gate(torch.cat(parts).float()) for name, parts in self._gates.items()}

    @property
    def dead(self) -> list[int]:
        """Units whose output is nearly zero everywhere."""
        return [] if self._largest is None else (self._largest < DEAD).nonzero().flatten().tolist()

    @property
    def saturated(self) -> list[int]:
        """Units whose output is near 1 or -1 nearly everywhere."""
        return (self._saturated >= ALWAYS * self.positions).nonzero().flatten().tolist()

    @property
    def half_lives(self) -> Tensor | None:
        """(H,): by the gates, over the whole text; see `memory_span.half_lives`."""
        return half_lives(torch.cat(self._retentions).float()) if self._retentions else None

    @property
    def whole_sentences(self) -> float:
        """Share of the sentences whose last position still looks back to the first."""
        return sum(
            horizon == length - 1 for horizon, length in zip(self.horizons, self.lengths, strict=True)
        ) / len(self.lengths)

    def followers(self) -> list[Followed]:
        """Return the units that follow something, the closest first."""
        correlations = _correlations(self.memory, torch.cat(self._features))
        followers = [
            Followed(unit, FEATURES[feature], float(correlations[feature, unit]))
            for feature, unit in (correlations.abs() >= FOLLOWS).nonzero().tolist()
        ]
        return sorted(followers, key=lambda each: -abs(each.correlation))


def features_of(pieces: Sequence[str]) -> Tensor:
    """Return the features (T, 3) of the positions of a sentence: number of the piece, inside of brackets, last piece."""
    inside: list[str] = []
    rows = []
    for position, piece in enumerate(pieces):
        for letter in piece:
            if inside and letter == inside[-1]:
                inside.pop()
            elif letter in _PAIRS or letter == '"':
                inside.append(_PAIRS.get(letter, letter))
        rows.append([float(position), float(bool(inside)), float(position == len(pieces) - 1)])
    return torch.tensor(rows)


def _gate(values: Tensor) -> GateStatistics:
    """Return the statistics of a gate (N, H)."""
    is_open, is_closed = values > OPEN, values < CLOSED
    counts = torch.histc(values, BINS, 0.0, 1.0) / values.numel()
    return GateStatistics(
        mean=float(values.mean()),
        open=float(is_open.float().mean()),
        closed=float(is_closed.float().mean()),
        always_open=int((is_open.float().mean(0) >= ALWAYS).sum()),
        always_closed=int((is_closed.float().mean(0) >= ALWAYS).sum()),
        histogram=tuple(counts.tolist()),
    )


def _correlations(memory: Tensor, features: Tensor) -> Tensor:
    """Return Pearson's correlations (3, H); 0 where a unit or a feature is constant."""
    centred, others = (values.double() - values.double().mean(0) for values in (memory, features))
    sizes = others.norm(dim=0)[:, None] * centred.norm(dim=0)
    return torch.where(sizes > 0, others.T @ centred / sizes.clamp_min(1e-300), 0.0)
