"""The report of ``evaluate``: scores, and if requested an analysis and a comparison, as text or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from nmt_lstm.cli.messages import say
from nmt_lstm.plain_text import columns, json_text

if TYPE_CHECKING:
    from nmt_lstm.evaluation.scores import Score
    from nmt_lstm.lab.analysis.analyst import Analysis
    from nmt_lstm.lab.analysis.pair_report import PairReport

__all__ = ["report_json", "report_text", "score_table", "show_scores"]

Scoring = TypeVar("Scoring")


def show_scores(
    scoring: Scoring, table: Callable[[Scoring], str], as_json: Callable[[Scoring], str], *, as_table: bool
) -> None:
    """Show scores as a table, or write them as JSON."""
    if as_table:
        say(table(scoring))
    else:
        sys.stdout.write(as_json(scoring) + "\n")


def report_text(scores: list[Score], analysis: Analysis | None, pair: PairReport | None) -> str:
    """Return scores, analysis and comparison for a terminal."""
    sections = [score_table(scores)]
    if analysis is not None:
        from nmt_lstm.lab.analysis.text import analysis_text

        sections.append(analysis_text(analysis))
    if pair is not None:
        sections.append(pair.text())
    return "\n\n".join(sections)


def report_json(scores: list[Score], analysis: Analysis | None, pair: PairReport | None) -> str:
    """Return the scores as a JSON list; with an analysis or a comparison, as an object with all of them."""
    rows = [{"name": score.name, "value": score.value, "signature": score.signature} for score in scores]
    if analysis is None and pair is None:
        return json_text(rows, indent=2)
    values: dict[str, Any] = {"scores": rows}
    if analysis is not None:
        values["analysis"] = asdict(analysis)
    if pair is not None:
        values["against"] = pair.values()
    return json_text(values, indent=2)


def score_table(scores: list[Score]) -> str:
    """Return the scores as a table of name, value and signature."""
    return columns([(score.name, f"{score.value:.2f}", score.signature) for score in scores], right=(1,))
