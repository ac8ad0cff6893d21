"""A board as a self-contained HTML page: rankings with intervals, analyses and facts."""

from __future__ import annotations

from typing import Any

from nmt_lstm.evaluation.columns import p_value, signed
from nmt_lstm.lab.leaderboard.analysis_sections import analysis_sections
from nmt_lstm.lab.leaderboard.board import Leaderboard
from nmt_lstm.lab.leaderboard.ranking import RankedRow, Ranking
from nmt_lstm.lab.leaderboard.record import Row
from nmt_lstm.lab.leaderboard.tables import contents_of, hours, incomparability, ranking_table, speed
from nmt_lstm.lab.report.dot_plot import Dot, dot_plot
from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.lab.report.page import contents, page, section
from nmt_lstm.lab.report.table import facts, folded
from nmt_lstm.plain_text import count_of

__all__ = ["web_page"]


def web_page(
    board: Leaderboard,
    *,
    test_set: str | None = None,
    metric: str = "bleu",
    baseline: str | None = None,
    sentences: int = 10,
) -> str:
    """Return the board as an HTML document.

    Args:
        board: the board.
        test_set: a test set; None shows all.
        metric: the metric to rank by.
        baseline: a system to compare all others with.
        sentences: how many sentences to show in which the best system and the baseline, or the second best, differ most.

    Raises:
        ConfigurationError: the metric, the test set or the baseline is unknown.
        DataError: the board is damaged.
    """
    rankings = board.rankings(test_set, metric=metric, baseline=baseline)
    if not rankings:
        return page(board.settings.title, lead="The board has no rows yet.")
    titles = [f"{ranking.title}{', separate' if ranking.apart else ''}" for ranking in rankings]
    entries = [(f"ranking-{number}", title) for number, title in enumerate(titles, 1)]
    sections = [
        _ranking(board, ranking, anchor, title, baseline=baseline, sentences=sentences)
        for ranking, (anchor, title) in zip(rankings, entries, strict=True)
    ]
    rows = [each.row for ranking in rankings for each in ranking.rows]
    scorers = sorted({f"{name} {version}" for row in rows for name, version in row.scored_with.items()})
    systems, sets = len({row.system for row in rows}), len({row.test_set for row in rows})
    lead = (
        f"{count_of(systems, 'system')} on {count_of(sets, 'test set')}. Rows are ranked together only if "
        f"their texts and signatures are the same. Intervals are 95 % bootstrap intervals."
    )
    return page(
        board.settings.title,
        contents(entries) if len(entries) > 1 else Markup(),
        *sections,
        lead=lead,
        footer=f"Scored with {', '.join(scorers)}. Newest row added on {max(row.added for row in rows)[:10]}.",
    )


def _ranking(
    board: Leaderboard, ranking: Ranking, anchor: str, title: str, *, baseline: str | None, sentences: int
) -> Markup:
    signatures = [
        joined(element("code", f"{entry.name}|{entry.signature}"), element("br"))
        for entry in ranking.rows[0].row.scores.values()
    ]
    return section(
        title,
        element("p", contents_of(ranking), class_="meta"),
        element("p", incomparability(ranking), class_="warning") if ranking.apart else Markup(),
        _plot(ranking),
        ranking_table(ranking, baseline).html(),
        element("p", "Signatures: ", *signatures, class_="meta"),
        analysis_sections(board, ranking, baseline=baseline, sentences=sentences),
        section("About the systems", *(_details(each) for each in ranking.rows), level=3),
        anchor=anchor,
    )


def _plot(ranking: Ranking) -> Markup:
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
        caption=f"{ranking.rows[0].score.name} with 95 % intervals, {better}. Filled: the best system and those not "
        f"significantly different from it; rings: significantly worse.",
    )


def _details(each: RankedRow) -> Markup:
    row, pairs = each.row, list[tuple[str, str]]()
    if (test := each.versus_best) is not None:
        values = f"p {p_value(test.p_bootstrap)} bootstrap, {p_value(test.p_randomisation)} randomisation"
        pairs.append(("Difference from the best", f"{signed(test.difference)} {each.score.name}, {values}"))
    pairs += [
        (f"{entry.name}, 95 %", f"{entry.value:.2f}, {entry.low:.2f} to {entry.high:.2f}")
        for entry in row.scores.values()
    ]
    pairs += [
        ("Length ratio", f"{row.length_ratio:.3f} words per reference word"),
        *_facts(row),
        ("Added", row.added),
        ("Output, SHA-256", row.hypotheses),
    ]
    runs = [folded("Run file", element("pre", text)) for text in row.facts.run_files]
    return folded(row.system, facts(pairs), *runs)


def _facts(row: Row) -> list[tuple[str, str]]:
    """Return the known facts, then the names of the unknown ones."""
    known = row.facts
    entries: list[tuple[str, Any, Any]] = [
        ("Toolkit", known.toolkit, str),
        ("Parameters", known.parameters, "{:,}".format),
        ("Target pieces trained on", known.training_pieces, "{:,}".format),
        ("Training time", known.training_hours, hours),
        ("Sentences per second", known.sentences_per_second, speed),
        ("Hardware", known.hardware, str),
        ("Seed", known.seed, str),
        ("Beam", known.beam_size, str),
        ("Batch size", known.batch_size, str),
        ("Precision", known.precision, str),
        ("Versions", ", ".join(f"{name} {version}" for name, version in known.versions.items()), str),
        ("Weights", ", ".join(known.models), str),
        ("Note", known.note, str),
    ]
    unknown = [name.lower() for name, value, _ in entries if value in (None, "") and name != "Note"]
    pairs = [(name, form(value)) for name, value, form in entries if value not in (None, "")]
    return pairs + [("Unknown", ", ".join(unknown))] * bool(unknown)
