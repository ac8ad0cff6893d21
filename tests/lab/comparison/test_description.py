"""The report as Markdown and as JSON values."""

from __future__ import annotations

import json
import re

from nmt_lstm.lab.comparison.description import json_values, markdown_report, title_of
from nmt_lstm.lab.comparison.html import web_page


def test_markup_in_names_is_escaped(make_report) -> None:
    report = make_report()
    assert "<b>" not in web_page(report)
    markdown = markdown_report(report)
    assert "<b>" not in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("| my\\_cells")]
    assert rows
    assert all("Mine&lt;/b&gt;\\|\\*" in row for row in rows)


def test_all_rows_of_a_markdown_table_have_the_same_number_of_cells(make_report) -> None:
    for block in markdown_report(make_report()).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        counts = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
        assert len(counts) <= 1


def test_the_title_lists_a_few_variants_and_counts_many(make_plan_of) -> None:
    assert title_of(make_plan_of("rnn", "gru", "lstm")) == "Cell: rnn, gru or lstm?"
    assert title_of(make_plan_of(*"abcdefg")) == "7 variants of cell"


def test_json_values_have_scores_pairs_and_failures(make_report) -> None:
    report = make_report(failures={"gru-2": "boom"})
    values = json.loads(json.dumps(json_values(report)))
    assert [each["name"] for each in values["variants"]] == [each.name for each in report.findings.variants]
    assert values["variants"][0]["bleu"] == report.findings.variants[0].bleu
    assert len(values["pairs"]) == 3
    assert {pair["more_than_noise"] for pair in values["pairs"]} == {True, False}
    for pair in values["pairs"]:
        found = report.findings.pair(pair["better"], pair["worse"])
        assert [pair["low"], pair["high"]] == [found.interval.low, found.interval.high]
        assert (pair["p"], pair["seeds_counted"]) == (found.p, found.seeds_counted)
    assert values["failures"] == {"gru-2": "boom"}
