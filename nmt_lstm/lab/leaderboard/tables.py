"""Rankings as text for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.evaluation.columns import NOT_SIGNIFICANT, p_value, signed
from nmt_lstm.evaluation.scores import METRICS
from nmt_lstm.evaluation.significance import Comparison
from nmt_lstm.lab.leaderboard.ranking import RankedRow, Ranking
from nmt_lstm.lab.report.markdown import escaped, markdown_table
from nmt_lstm.lab.report.table import Column
from nmt_lstm.plain_text import columns

__all__ = ["UNKNOWN", "compact", "heading", "hours", "markdown", "notes", "p_values", "speed", "text"]

UNKNOWN = "–"

_LEFT = ("system",)


def text(rankings: Sequence[Ranking], *, baseline: str | None = None) -> str:
    """Return the rankings as aligned columns."""
    parts = []
    for ranking in rankings:
        heads, rows = _cells(ranking, baseline)
        right = [place for place, head in enumerate(heads) if head not in _LEFT]
        table = columns([heads, *rows], right=right)
        parts.append("\n".join([heading(ranking), "", table, "", *notes(ranking)]))
    return "\n\n\n".join(parts) or "The board has no rows yet; add one with: nmt-lstm leaderboard add."


def markdown(rankings: Sequence[Ranking], *, baseline: str | None = None) -> str:
    """Return the rankings as Markdown tables."""
    parts = []
    for ranking in rankings:
        heads, rows = _cells(ranking, baseline)
        table = markdown_table([Column(head, numeric=head not in _LEFT) for head in heads], rows)
        remarks = [f"- {escaped(note)}" for note in notes(ranking)]
        parts.append("\n".join([f"### {escaped(heading(ranking))}", "", table, "", *remarks]))
    return "\n\n".join(parts) or "The board has no rows yet."


def heading(ranking: Ranking) -> str:
    """Return what a ranking is of, in one line."""
    row = ranking.rows[0].row
    direction = f", {row.source_language}-{row.target_language}" if row.source_language else ""
    references = "1 reference" if len(row.references) == 1 else f"{len(row.references)} references"
    return f"{ranking.test_set}{direction}, {row.sentences:,} lines, {references}, fingerprint {row.fingerprint[:12]}"


def notes(ranking: Ranking) -> list[str]:
    """Return the lines below a ranking: what marks mean, signatures, and why it stands apart."""
    first = ranking.rows[0]
    found = []
    if ranking.apart:
        found.append(
            f"Not comparable with the ranking above, and not ranked with it: these rows have {'; '.join(ranking.apart)}."
        )
    if any(each.versus_best is not None and each.as_good_as_best for each in ranking.rows):
        found.append(
            f"{NOT_SIGNIFICANT} not significantly different from the best in {first.score.name} (p >= 0.05 by paired "
            f"bootstrap, 1,000 resamples, or by approximate randomisation, 10,000 trials)."
        )
    if any(each.versus_best is not None or each.versus_baseline is not None for each in ranking.rows):
        found.append("p: of paired bootstrap / of approximate randomisation")
    found += [f"{entry.name} {entry.signature}" for entry in first.row.scores.values()]
    return found


def _cells(ranking: Ranking, baseline: str | None) -> tuple[list[str], list[list[str]]]:
    first = ranking.rows[0]
    others = [name for name in METRICS if name in first.row.scores and name != ranking.metric]
    with_baseline = baseline is not None and any(each.row.system == baseline for each in ranking.rows)
    heads = ["", "system", first.score.name, "95 %", "vs best", "p"]
    if with_baseline:
        heads += [f"vs {baseline}", "p"]
    heads += [first.row.scores[name].name for name in others]
    heads += ["BP", "parameters", "trained", "sent/s"]
    rows = []
    for each in ranking.rows:
        row, score = each.row, each.score
        mark = NOT_SIGNIFICANT if each.versus_best is not None and each.as_good_as_best else ""
        cells = [f"{mark}{each.rank}", row.system, f"{score.value:.2f}", f"{score.low:.1f}-{score.high:.1f}"]
        cells += _compared(each, best=True)
        if with_baseline:
            cells += _compared(each, best=False)
        cells += [f"{row.scores[name].value:.2f}" for name in others]
        facts = row.facts
        cells += [
            f"{row.brevity_penalty:.3f}",
            compact(facts.parameters),
            hours(facts.training_hours),
            speed(facts.sentences_per_second),
        ]
        rows.append(cells)
    return heads, rows


def _compared(each: RankedRow, *, best: bool) -> list[str]:
    comparison = each.versus_best if best else each.versus_baseline
    if comparison is None:
        return ["", ""]
    mark = "" if comparison.significant else f"{NOT_SIGNIFICANT} "
    return [f"{mark}{signed(comparison.difference)}", p_values(comparison)]


def p_values(comparison: Comparison) -> str:
    """Return the p values of bootstrap and randomisation, such as "0.041/0.063"."""
    return f"{p_value(comparison.p_bootstrap)}/{p_value(comparison.p_randomisation)}"


def compact(number: int | None) -> str:
    """Return a large number in short, such as "12.3 M"."""
    if number is None:
        return UNKNOWN
    for size, unit in ((1_000_000_000, " G"), (1_000_000, " M"), (1_000, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}" if number < 1000 * size else f"{number / size:,.0f}{unit}"
    return str(number)


def hours(value: float | None) -> str:
    """Return hours, such as "3.25 h" or "25 min"."""
    if value is None:
        return UNKNOWN
    return f"{value:.2f} h" if value >= 1 else f"{value * 60:.0f} min"


def speed(value: float | None) -> str:
    """Return sentences per second."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
