"""The report of ``evaluate``: a table for people, and JSON that keeps its form when more is requested."""

from __future__ import annotations

import json
from types import SimpleNamespace as Namespace

from nmt_lstm.cli.score_report import report_json, report_text

SCORES = [
    Namespace(name="BLEU", value=9.876, signature="tok:13a"),
    Namespace(name="chrF2", value=50.0, signature="nc:6"),
]


def test_the_table_aligns_the_values():
    assert report_text(SCORES, None, None).splitlines() == ["BLEU    9.88  tok:13a", "chrF2  50.00  nc:6"]


def test_json_is_a_list_of_scores_or_an_object_with_more():
    scores = json.loads(report_json(SCORES, None, None))
    assert scores[0] == {"name": "BLEU", "value": 9.876, "signature": "tok:13a"}
    comparison = Namespace(values=lambda: {"other": "b"}, text=lambda: "a better than b")
    assert json.loads(report_json(SCORES, None, comparison)) == {"scores": scores, "against": {"other": "b"}}
    assert report_text(SCORES, None, comparison).endswith("\n\na better than b")
