"""Rankings as JSON and CSV, with everything that a row contains."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from nmt_lstm import plain_text
from nmt_lstm.evaluation.scores import METRICS
from nmt_lstm.evaluation.significance import PairedTest
from nmt_lstm.lab.leaderboard.ranking import RankedRow, Ranking
from nmt_lstm.lab.leaderboard.record import LISTED_FACTS

__all__ = ["csv_text", "json_text"]

_TESTED = ("difference", "p_bootstrap", "p_randomisation", "significant")


def json_text(rankings: Sequence[Ranking]) -> str:
    """Return the rankings as JSON; rows in different rankings cannot be compared."""
    values = {
        "format": 1,
        "rankings": [
            {
                "test_set": ranking.test_set,
                "metric": ranking.metric,
                "fingerprint": ranking.rows[0].row.fingerprint,
                "apart": ranking.apart,
                "rows": [_values(each) for each in ranking.rows],
            }
            for ranking in rankings
        ],
    }
    return plain_text.json_text(values, indent=2)


def csv_text(rankings: Sequence[Ranking]) -> str:
    """Return the rows as CSV; rows with a different "ranking" number cannot be compared.

    Text that a spreadsheet would interpret as a formula is preceded by an apostrophe.
    """
    heads = ["test_set", "ranking", "rank", "system", "source_language", "target_language", "sentences"]
    heads += [f"{name}{suffix}" for name in METRICS for suffix in ("", "_low", "_high", "_signature")]
    heads += [f"{name}_{field}" for name in ("versus_best", "versus_baseline") for field in _TESTED]
    heads += ["brevity_penalty", "length_ratio", *LISTED_FACTS]
    heads += ["added", "fingerprint", "hypotheses", "scored_with", "versions"]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, heads, lineterminator="\n")
    writer.writeheader()
    for number, ranking in enumerate(rankings, 1):
        for each in ranking.rows:
            cells = {name: _cell(value) for name, value in _flat(each).items()}
            writer.writerow({"ranking": number, **cells})
    return stream.getvalue().rstrip("\n")


def _cell(value: Any) -> Any:
    return plain_text.cell_text(plain_text.printable(value)) if isinstance(value, str) else value


def _values(each: RankedRow) -> dict[str, Any]:
    return {
        "rank": each.rank,
        "as_good_as_best": each.as_good_as_best,
        "versus_best": _comparison(each.versus_best),
        "versus_baseline": _comparison(each.versus_baseline),
        **each.row.model_dump(mode="json", exclude={"kind"}),
    }


def _comparison(comparison: PairedTest | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    return {field: getattr(comparison, field) for field in _TESTED}


def _flat(each: RankedRow) -> dict[str, Any]:
    row = each.row
    values: dict[str, Any] = {
        "rank": each.rank,
        **row.model_dump(
            include={
                "test_set", "system", "source_language", "target_language", "sentences", "brevity_penalty",
                "length_ratio", "added", "fingerprint", "hypotheses",
            }
        ),
        **row.facts.model_dump(include=set(LISTED_FACTS)),
        "scored_with": _versions(row.scored_with),
        "versions": _versions(row.facts.versions),
    }  # fmt: skip
    for name, entry in row.scores.items():
        values |= {
            name: entry.value,
            f"{name}_low": entry.low,
            f"{name}_high": entry.high,
            f"{name}_signature": entry.signature,
        }
    for name, comparison in (("versus_best", each.versus_best), ("versus_baseline", each.versus_baseline)):
        values |= {f"{name}_{field}": value for field, value in (_comparison(comparison) or {}).items()}
    return values


def _versions(versions: dict[str, str]) -> str:
    return " ".join(f"{name}=={version}" for name, version in versions.items())
