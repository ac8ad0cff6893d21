"""Rankings: which rows can be compared, their order, and whether their differences are significant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nmt_lstm.evaluation.sentence_statistics import SentenceStatistics
from nmt_lstm.evaluation.significance import PairedTest, compare
from nmt_lstm.lab.leaderboard.record import Row, ScoreEntry

__all__ = ["RankedRow", "Ranking", "differences", "rank"]

StatisticsOf = Callable[[Row], Mapping[str, SentenceStatistics]]


@dataclass(frozen=True)
class RankedRow:
    """A row with its rank among the rows that it can be compared with."""

    row: Row
    rank: int
    """1 is the best by the metric."""
    metric: str
    versus_best: PairedTest | None
    """The row against the best one; None for the best itself."""
    versus_baseline: PairedTest | None
    """The row against the baseline; None for the baseline, or if this ranking has none."""

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
    """Rows with the same test set, fingerprint and signatures, best first."""

    test_set: str
    metric: str
    rows: list[RankedRow]
    apart: list[str]
    """Differences that make its rows incomparable with the first ranking of the test set; empty for the first one."""

    @property
    def title(self) -> str:
        """The test set and its languages, such as "wmt17, de-en"."""
        row = self.rows[0].row
        direction = f", {row.source_language}-{row.target_language}" if row.source_language else ""
        return f"{self.test_set}{direction}"


def rank(
    rows: Sequence[Row], metric: str, statistics: StatisticsOf, *, baseline: str | None = None
) -> list[Ranking]:
    """Return the rankings of the rows of a test set, the largest first; incomparable rows are in different ones.

    Args:
        rows: rows of one test set.
        metric: the metric to rank by.
        statistics: returns the statistics of a row.
        baseline: a system to compare all others of its ranking with.
    """
    groups: dict[object, list[Row]] = {}
    for row in rows:
        signatures = tuple(sorted((name, entry.signature) for name, entry in row.scores.items()))
        groups.setdefault((row.source, row.references, signatures), []).append(row)

    def test(row: Row, other: Row | None) -> PairedTest | None:
        if other is None or row is other:
            return None
        return compare(statistics(row)[metric], statistics(other)[metric])

    rankings: list[Ranking] = []
    for group in sorted(groups.values(), key=lambda group: -len(group)):
        sign = 1 if metric == "ter" else -1
        ordered = sorted(group, key=lambda row: (sign * row.scores[metric].value, row.system))
        best = ordered[0]
        base = next((row for row in ordered if row.system == baseline), None)
        ranked = []
        for number, row in enumerate(ordered, 1):
            versus_best = test(row, best)
            versus_baseline = versus_best if base is best else test(row, base)
            ranked.append(RankedRow(row, number, metric, versus_best, versus_baseline))
        apart = differences(best, rankings[0].rows[0].row) if rankings else []
        rankings.append(Ranking(best.test_set, metric, ranked, apart))
    return rankings


def differences(one: Row, other: Row) -> list[str]:
    """Return the differences that make two rows of a test set incomparable; empty if there are none."""
    reasons = []
    if one.source != other.source:
        reasons.append(f"source text {one.source[:12]}, not {other.source[:12]}")
    if one.references != other.references:
        first, second = (", ".join(digest[:12] for digest in row.references) for row in (one, other))
        reasons.append(f"references {first}, not {second}")
    for metric in dict.fromkeys([*one.scores, *other.scores]):
        first, second = (
            row.scores[metric].signature if metric in row.scores else "none" for row in (one, other)
        )
        if first != second:
            fields, other_fields = first.split("|"), second.split("|")
            changed = "|".join(field for field in fields if field not in other_fields)
            other_changed = "|".join(field for field in other_fields if field not in fields)
            reasons.append(f"{metric} signature {changed or 'none'}, not {other_changed or 'none'}")
    return reasons
