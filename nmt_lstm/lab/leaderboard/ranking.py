"""Which rows can be compared, their order, and whether their differences mean anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nmt_lstm.evaluation.sentence_statistics import SentenceStatistics
from nmt_lstm.evaluation.significance import Comparison, compare
from nmt_lstm.lab.leaderboard.record import Row, ScoreEntry

__all__ = ["RankedRow", "Ranking", "differences", "rank"]

StatisticsOf = Callable[[Row], Mapping[str, SentenceStatistics]]


@dataclass(frozen=True)
class RankedRow:
    """A row with its place among the rows that it can be compared with."""

    row: Row
    rank: int
    """1 is the best by the metric."""
    metric: str
    versus_best: Comparison | None
    """The row against the best one; None for the best itself."""
    versus_baseline: Comparison | None
    """The row against the baseline; None for the baseline, or if there is none in this ranking."""

    @property
    def score(self) -> ScoreEntry:
        """The score that it is ranked by."""
        return self.row.scores[self.metric]

    @property
    def as_good_as_best(self) -> bool:
        """Whether it is the best, or its difference from the best is not significant."""
        return self.versus_best is None or not self.versus_best.significant


@dataclass(frozen=True)
class Ranking:
    """Rows of one test set, one fingerprint and the same signatures, best first."""

    test_set: str
    metric: str
    rows: list[RankedRow]
    apart: list[str]
    """What makes its rows incomparable with those of the test set's first ranking; empty for that itself."""


def rank(
    rows: Sequence[Row], metric: str, statistics: StatisticsOf, *, baseline: str | None = None
) -> list[Ranking]:
    """Return the rankings of the rows of one test set: those that cannot be compared are never in the same one.

    The ranking of most rows comes first.

    Args:
        rows: rows of one test set.
        metric: what they are ranked by.
        statistics: gives the statistics of a row.
        baseline: a system that all others of its ranking are compared with.
    """
    groups: dict[object, list[Row]] = {}
    for row in rows:
        groups.setdefault(_comparable(row), []).append(row)
    found: list[Ranking] = []
    for group in sorted(groups.values(), key=lambda group: -len(group)):
        sign = 1 if metric == "ter" else -1
        ordered = sorted(group, key=lambda row: (sign * row.scores[metric].value, row.system))
        best = ordered[0]
        base = next((row for row in ordered if row.system == baseline), None)
        against_best = {row.system: _compared(row, best, metric, statistics) for row in ordered}
        against_base = (
            against_best
            if base is best
            else {row.system: _compared(row, base, metric, statistics) for row in ordered}
        )
        ranked = [
            RankedRow(row, place, metric, against_best[row.system], against_base[row.system])
            for place, row in enumerate(ordered, 1)
        ]
        apart = differences(best, found[0].rows[0].row) if found else []
        found.append(Ranking(best.test_set, metric, ranked, apart))
    return found


def differences(one: Row, other: Row) -> list[str]:
    """Return what keeps two rows of a test set from being compared; nothing if they can be."""
    found = []
    if one.source != other.source:
        found.append(f"source text {one.source[:12]}, not {other.source[:12]}")
    if one.references != other.references:
        ours, theirs = (", ".join(digest[:12] for digest in row.references) for row in (one, other))
        found.append(f"references {ours}, not {theirs}")
    for metric in dict.fromkeys([*one.scores, *other.scores]):
        ours, theirs = (
            row.scores[metric].signature if metric in row.scores else "none" for row in (one, other)
        )
        if ours != theirs:
            parts = dict.fromkeys(ours.split("|"))
            others = dict.fromkeys(theirs.split("|"))
            mine = "|".join(part for part in parts if part not in others)
            yours = "|".join(part for part in others if part not in parts)
            found.append(f"{metric} signature {mine or 'none'}, not {yours or 'none'}")
    return found


def _compared(row: Row, other: Row | None, metric: str, statistics: StatisticsOf) -> Comparison | None:
    if other is None or row is other:
        return None
    return compare(statistics(row)[metric], statistics(other)[metric])


def _comparable(row: Row) -> object:
    signatures = tuple(sorted((metric, entry.signature) for metric, entry in row.scores.items()))
    return row.source, row.references, signatures
