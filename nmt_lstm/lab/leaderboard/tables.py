"""Rankings as tables: for the terminal, as Markdown and for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nmt_lstm.evaluation.columns import NOT_SIGNIFICANT, p_value, signed
from nmt_lstm.evaluation.scores import METRICS
from nmt_lstm.evaluation.significance import PairedTest
from nmt_lstm.lab.leaderboard.ranking import RankedRow, Ranking
from nmt_lstm.lab.report.table import Column, Table, TableCell, escape_markdown, number
from nmt_lstm.plain_text import count_of

__all__ = ["compact", "contents_of", "hours", "incomparability", "markdown", "ranking_table", "speed", "text"]

_UNKNOWN = "–"

_Cell = Callable[[RankedRow], TableCell | str]


def text(rankings: Sequence[Ranking], *, baseline: str | None = None) -> str:
    """Return the rankings as aligned columns."""
    blocks = [
        "\n".join(
            [
                f"{ranking.title}, {contents_of(ranking)}\n",
                ranking_table(ranking, baseline).text(),
                "",
                *_notes(ranking),
            ]
        )
        for ranking in rankings
    ]
    return "\n\n\n".join(blocks) or "The board has no rows yet; add one with: nmt-lstm leaderboard add."


def markdown(rankings: Sequence[Ranking], *, baseline: str | None = None) -> str:
    """Return the rankings as Markdown tables."""
    blocks = []
    for ranking in rankings:
        heading = escape_markdown(f"{ranking.title}, {contents_of(ranking)}")
        notes = "\n".join(f"- {escape_markdown(note)}" for note in _notes(ranking))
        blocks += [f"### {heading}", ranking_table(ranking, baseline).markdown(), notes]
    return "\n\n".join(blocks) or "The board has no rows yet."


def contents_of(ranking: Ranking) -> str:
    """Return the size and the fingerprint of the test set, as text."""
    row = ranking.rows[0].row
    references = count_of(len(row.references), "reference")
    return f"{count_of(row.sentences, 'line')}, {references}, fingerprint {row.fingerprint[:12]}"


def incomparability(ranking: Ranking) -> str:
    """Return a sentence that says why the ranking is separate from the first one; empty if it is the first."""
    if not ranking.apart:
        return ""
    return f"Not comparable with the ranking above, and not ranked with it: these rows have {'; '.join(ranking.apart)}."


def ranking_table(ranking: Ranking, baseline: str | None = None) -> Table:
    """Return the table of a ranking; it compares with the baseline only if that is in the ranking."""
    first = ranking.rows[0]
    columns: list[tuple[Column, _Cell]] = [
        (
            Column("#", numeric=True, meaning="rank"),
            lambda each: TableCell(f"{NOT_SIGNIFICANT * _tied(each)}{each.rank}", each.rank),
        ),
        (Column("system", label=True), lambda each: each.row.system),
        _score_column(first, ranking.metric),
        (
            Column("95 %", numeric=True, meaning="bootstrap interval"),
            lambda each: TableCell(f"{each.score.low:.1f}–{each.score.high:.1f}", each.score.low, quiet=True),
        ),
        _comparison_column("best", lambda each: each.versus_best),
    ]
    if any(each.row.system == baseline for each in ranking.rows):
        columns.append(_comparison_column(f"{baseline}", lambda each: each.versus_baseline))
    columns += [
        _score_column(first, metric)
        for metric in METRICS
        if metric in first.row.scores and metric != ranking.metric
    ]
    columns += [
        (
            Column("BP", numeric=True, meaning="brevity penalty of BLEU; 1 is none", falling=True),
            lambda each: number(each.row.brevity_penalty, ".3f"),
        ),
        (Column("parameters", numeric=True), lambda each: _known(compact, each.row.facts.parameters)),
        (
            Column("training", numeric=True, meaning="wall-clock time"),
            lambda each: _known(hours, each.row.facts.training_hours),
        ),
        (
            Column("sent/s", numeric=True, meaning="sentences translated per second", falling=True),
            lambda each: _known(speed, each.row.facts.sentences_per_second),
        ),
    ]
    return Table.of(
        f"{NOT_SIGNIFICANT} difference not significant: p ≥ 0.05 by paired bootstrap (first value) or "
        f"approximate randomisation (second). {_UNKNOWN} unknown. Click a column head to sort.",
        ranking.rows,
        columns,
    )


def _notes(ranking: Ranking) -> list[str]:
    """Return the lines below a ranking: why it is separate, its marks and its signatures."""
    first = ranking.rows[0]
    notes = [incomparability(ranking)] if ranking.apart else []
    if any(map(_tied, ranking.rows)):
        notes.append(
            f"{NOT_SIGNIFICANT} not significantly different from the best in {first.score.name} (p >= 0.05 by paired "
            f"bootstrap, 1,000 resamples, or by approximate randomisation, 10,000 trials)."
        )
    if any(each.versus_best is not None or each.versus_baseline is not None for each in ranking.rows):
        notes.append("p: paired bootstrap / approximate randomisation")
    return notes + [f"{entry.name} {entry.signature}" for entry in first.row.scores.values()]


def _tied(each: RankedRow) -> bool:
    """Whether the row is not the best, but not significantly worse."""
    return each.versus_best is not None and each.as_good_as_best


def _score_column(first: RankedRow, metric: str) -> tuple[Column, _Cell]:
    lower_is_better = metric == "ter"
    column = Column(
        first.row.scores[metric].name,
        numeric=True,
        meaning="lower is better" if lower_is_better else "",
        falling=not lower_is_better,
    )
    return column, lambda each: number(each.row.scores[metric].value, ".2f")


def _comparison_column(
    name: str, comparison_of: Callable[[RankedRow], PairedTest | None]
) -> tuple[Column, _Cell]:
    """Return the column of the difference from a system, with p values."""

    def cell(each: RankedRow) -> TableCell:
        test = comparison_of(each)
        if test is None:
            return TableCell("", 0.0)
        mark = "" if test.significant else f"{NOT_SIGNIFICANT} "
        p_values = f"p {p_value(test.p_bootstrap)}/{p_value(test.p_randomisation)}"
        return TableCell(f"{mark}{signed(test.difference)}", test.difference, p_values)

    tests = "difference, with p values of paired bootstrap and approximate randomisation"
    return Column(f"vs {name}", numeric=True, meaning=tests), cell


def _known(form: Callable[[Any], str], value: float | None) -> TableCell:
    return TableCell(_UNKNOWN, "", quiet=True) if value is None else TableCell(form(value), value)


def compact(number: int) -> str:
    """Return a large number in short form, such as "12.3 M"."""
    for size, unit in ((1_000_000_000, " G"), (1_000_000, " M"), (1_000, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}" if number < 1000 * size else f"{number / size:,.0f}{unit}"
    return str(number)


def hours(value: float) -> str:
    """Return a number of hours, such as "3.25 h" or "25 min"."""
    return f"{value:.2f} h" if value >= 1 else f"{value * 60:.0f} min"


def speed(value: float) -> str:
    """Return a number of sentences per second."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
