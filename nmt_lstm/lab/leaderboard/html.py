"""A board as one HTML page: scores with intervals, rankings, analyses, facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nmt_lstm.evaluation.columns import NOT_SIGNIFICANT, p_value, signed
from nmt_lstm.evaluation.scores import METRICS
from nmt_lstm.evaluation.significance import Comparison
from nmt_lstm.lab.leaderboard.analysis_sections import analysis_sections
from nmt_lstm.lab.leaderboard.board import Leaderboard
from nmt_lstm.lab.leaderboard.ranking import RankedRow, Ranking
from nmt_lstm.lab.leaderboard.record import Row
from nmt_lstm.lab.leaderboard.tables import UNKNOWN, compact, hours, p_values, speed
from nmt_lstm.lab.report.dot_plot import Dot, dot_plot
from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.lab.report.page import contents, page, section
from nmt_lstm.lab.report.table import Column, Table, TableCell, facts, folded, number

__all__ = ["web_page"]

_Pair = tuple[Column, Callable[[RankedRow], TableCell | str]]


def web_page(
    board: Leaderboard,
    *,
    test_set: str | None = None,
    metric: str = "bleu",
    baseline: str | None = None,
    sentences: int = 10,
) -> str:
    """Return the board as an HTML document that needs nothing else.

    Args:
        board: the board.
        test_set: one test set; None is all.
        metric: what is ranked by.
        baseline: a system that all others are compared with.
        sentences: how many sentences to show in which the two best systems, or the best and the baseline, differ most.

    Raises:
        ConfigurationError: unknown metric, test set or baseline.
        DataError: the board is damaged.
    """
    rankings = board.rankings(test_set, metric=metric, baseline=baseline)
    if not rankings:
        return page(board.settings.title, lead="The board has no rows yet.")
    entries = [(f"ranking-{number}", _title(ranking)) for number, ranking in enumerate(rankings, 1)]
    parts = [
        _ranking(board, ranking, anchor, title, baseline=baseline, sentences=sentences)
        for ranking, (anchor, title) in zip(rankings, entries, strict=True)
    ]
    rows = [each.row for ranking in rankings for each in ranking.rows]
    scorers = sorted({f"{name} {version}" for row in rows for name, version in row.scored_with.items()})
    systems = len({row.system for row in rows})
    lead = (
        f"{_counted(systems, 'system')} on {_counted(len({row.test_set for row in rows}), 'test set')}. Only rows of the "
        f"same texts and signatures are ranked together. Intervals are 95 % bootstrap intervals."
    )
    navigation = contents(entries) if len(entries) > 1 else Markup()
    return page(
        board.settings.title,
        navigation,
        *parts,
        lead=lead,
        footer=f"Scored with {', '.join(scorers)}. Newest row of {max(row.added for row in rows)[:10]}.",
    )


def _title(ranking: Ranking) -> str:
    row = ranking.rows[0].row
    direction = f", {row.source_language}-{row.target_language}" if row.source_language else ""
    return f"{ranking.test_set}{direction}" + (", apart" if ranking.apart else "")


def _ranking(
    board: Leaderboard, ranking: Ranking, anchor: str, title: str, *, baseline: str | None, sentences: int
) -> Markup:
    row = ranking.rows[0].row
    references = "1 reference" if len(row.references) == 1 else f"{len(row.references)} references"
    meta = f"{row.sentences:,} lines, {references}, fingerprint {row.fingerprint[:12]}"
    apart = (
        element(
            "p",
            f"Not comparable with the ranking above, and not ranked with it: these rows have {'; '.join(ranking.apart)}.",
            class_="warning",
        )
        if ranking.apart
        else Markup()
    )
    signatures = element(
        "p",
        "Signatures: ",
        joined(
            *(
                joined(element("code", f"{entry.name}|{entry.signature}"), element("br"))
                for entry in row.scores.values()
            )
        ),
        class_="meta",
    )
    return section(
        title,
        element("p", meta, class_="meta"),
        apart,
        _plot(ranking),
        _scores(ranking, baseline),
        signatures,
        analysis_sections(board, ranking, baseline=baseline, sentences=sentences),
        section("About the systems", *(_details(each) for each in ranking.rows), level=3),
        anchor=anchor,
    )


def _plot(ranking: Ranking) -> Markup:
    name = ranking.rows[0].score.name
    better = "lower is better" if ranking.metric == "ter" else "higher is better"
    dots = [
        Dot(
            each.row.system,
            each.score.value,
            each.score.low,
            each.score.high,
            f"{each.score.value:.2f}",
            f"{each.score.low:.1f}–{each.score.high:.1f}",
            filled=each.as_good_as_best,
        )
        for each in ranking.rows
    ]
    return dot_plot(
        dots,
        caption=f"{name} with 95 % intervals, {better}. Filled: the best, and those not significantly different from it; "
        f"rings: significantly worse.",
    )


def _scores(ranking: Ranking, baseline: str | None) -> Markup:
    first = ranking.rows[0]
    others = [name for name in METRICS if name in first.row.scores and name != ranking.metric]
    with_baseline = baseline is not None and any(each.row.system == baseline for each in ranking.rows)
    tests = "p values of paired bootstrap and approximate randomisation"

    def score(name: str) -> _Pair:
        return _score_column(first.row.scores[name].name, name), lambda each: number(
            each.row.scores[name].value, ".2f"
        )

    columns: list[_Pair] = [
        (Column("#", numeric=True, meaning="rank"), lambda each: str(each.rank)),
        (Column("System", label=True), lambda each: each.row.system),
        (_score_column(first.score.name, ranking.metric), lambda each: number(each.score.value, ".2f")),
        (
            Column("95 %", numeric=True, meaning="bootstrap interval"),
            lambda each: TableCell(f"{each.score.low:.1f}–{each.score.high:.1f}", each.score.low, quiet=True),
        ),
        (Column("vs best", numeric=True, meaning=tests), lambda each: _compared(each.versus_best)),
    ]
    if with_baseline:
        columns.append(
            (
                Column(f"vs {baseline}", numeric=True, meaning=tests),
                lambda each: _compared(each.versus_baseline),
            )
        )
    columns += [
        *map(score, others),
        (
            Column("BP", numeric=True, meaning="BLEU's brevity penalty; 1 is none", falling=True),
            lambda each: number(each.row.brevity_penalty, ".3f"),
        ),
        (Column("Parameters", numeric=True), lambda each: _known(compact, each.row.facts.parameters)),
        (
            Column("Training", numeric=True, meaning="wall-clock time"),
            lambda each: _known(hours, each.row.facts.training_hours),
        ),
        (
            Column("Sent/s", numeric=True, meaning="sentences translated per second", falling=True),
            lambda each: _known(speed, each.row.facts.sentences_per_second),
        ),
    ]
    return Table.of(
        f"{NOT_SIGNIFICANT} difference not significant: p ≥ 0.05 by paired bootstrap (first value) or "
        f"approximate randomisation (second). {UNKNOWN} unknown. A click on a head sorts.",
        ranking.rows,
        columns,
    ).html()


def _score_column(name: str, metric: str) -> Column:
    return Column(
        name, numeric=True, meaning="lower is better" if metric == "ter" else "", falling=metric != "ter"
    )


def _compared(comparison: Comparison | None) -> TableCell:
    if comparison is None:
        return TableCell("", sort=0.0)
    mark = "" if comparison.significant else f"{NOT_SIGNIFICANT} "
    return TableCell(
        f"{mark}{signed(comparison.difference)}", sort=comparison.difference, note=f"p {p_values(comparison)}"
    )


def _known(form: Callable[[Any], str], value: float | None) -> TableCell:
    return TableCell(form(value), "" if value is None else value, quiet=value is None)


def _details(each: RankedRow) -> Markup:
    row = each.row
    pairs = [
        *(
            (f"{entry.name}, 95 %", f"{entry.value:.2f}, {entry.low:.2f} to {entry.high:.2f}")
            for entry in row.scores.values()
        ),
        ("Length ratio", f"{row.length_ratio:.3f} words per word of the reference"),
        *_facts(row),
        ("Added", row.added),
        ("Output, SHA-256", row.hypotheses),
    ]
    if each.versus_best is not None:
        test = each.versus_best
        values = f"p {p_value(test.p_bootstrap)} bootstrap, {p_value(test.p_randomisation)} randomisation"
        pairs.insert(0, ("Against the best", f"{signed(test.difference)} {each.score.name}, {values}"))
    runs = [folded("Run file", element("pre", text)) for text in row.facts.run_files]
    return folded(row.system, facts(pairs), *runs)


def _facts(row: Row) -> list[tuple[str, str]]:
    known = row.facts
    pairs = [
        ("Toolkit", known.toolkit),
        ("Parameters", f"{known.parameters:,}" if known.parameters is not None else ""),
        (
            "Target pieces trained on",
            f"{known.training_pieces:,}" if known.training_pieces is not None else "",
        ),
        ("Training time", hours(known.training_hours) if known.training_hours is not None else ""),
        ("Sentences per second", speed(known.sentences_per_second) if known.sentences_per_second else ""),
        ("Hardware", known.hardware),
        ("Seed", "" if known.seed is None else str(known.seed)),
        ("Beam", "" if known.beam_size is None else str(known.beam_size)),
        ("Batch size", "" if known.batch_size is None else str(known.batch_size)),
        ("Precision", known.precision),
        ("Versions", ", ".join(f"{name} {version}" for name, version in known.versions.items())),
        ("Weights", ", ".join(known.models)),
        ("Note", known.note),
    ]
    unknown = ", ".join(name.lower() for name, value in pairs if not value and name != "Note")
    found = [(name, value) for name, value in pairs if value]
    return [*found, ("Unknown", unknown)] if unknown else found


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"
