"""The page: the verdict and every number, learning curves, and escaped names."""

from __future__ import annotations

import re

from nmt_lstm.lab.comparison.description import markdown_report, sections_of, text_line
from nmt_lstm.lab.comparison.html import web_page
from nmt_lstm.lab.comparison.tables import cost_table, length_table, pair_table, quality_table


def test_both_formats_give_the_verdict_and_every_number(make_report, parse_page) -> None:
    report = make_report()
    markdown, html = markdown_report(report), parse_page(web_page(report)).text
    verdict, method = report.verdict, sections_of(report)[-1]
    for sentence in [verdict.headline, *verdict.cautions.values(), text_line(report), *method.sentences]:
        assert sentence in html
        assert sentence.split("<")[0].split("_")[0].split("~")[0] in markdown
    for table in (quality_table, pair_table, cost_table, length_table):
        for row in table(report.findings).rows:
            for cell in row:
                content = cell if isinstance(cell, str) else cell.content
                assert content in html
    for each in report.findings.variants:
        assert f"{each.bleu:.2f} (" in markdown
    for _, value in method.facts:
        assert value in html


def test_curves_are_plotted_against_updates_and_time(make_report) -> None:
    html = web_page(make_report())
    assert html.count('class="lines"') == 4
    assert "seconds of training" in html
    assert "Thick lines are means over seeds, thin lines single seeds." in html
    assert html.count("opacity=") == 4 * 6


def test_long_training_runs_are_plotted_in_minutes(make_report) -> None:
    report = make_report()
    curve = [
        point.model_copy(update={"seconds": point.seconds * 10})
        for point in report.findings.variants[0].results[0].training.curve
    ]
    long = make_report({"lstm": (4, 4), "gru": (3, 3)}, lstm={"curve": curve})
    assert "minutes of training" in web_page(long)


def test_the_page_loads_nothing(make_report) -> None:
    html = web_page(make_report())
    assert not re.findall(r'(?:src|href)="(?!#)', html)
    assert "style=" not in html


def test_more_than_one_pair_is_folded(make_report) -> None:
    assert "All pairs" in web_page(make_report())
    report = make_report({"lstm": (4, 4), "gru": (3, 3)})
    assert "All pairs" not in web_page(report)
    assert pair_table(report.findings).rows[0][0] in web_page(report)


def test_a_report_without_validations_says_so(make_report) -> None:
    empty = {"curve": []}
    report = make_report({"lstm": (4, 4), "gru": (3, 3)}, lstm=empty, gru=empty)
    assert "logged no validations" in web_page(report)
    assert "Learning curves" in markdown_report(report)


def test_failed_runs_are_listed(make_report) -> None:
    report = make_report(failures={"gru-2": "out of <memory>"})
    assert "gru-2: out of &lt;memory&gt;" in markdown_report(report)
    assert "gru-2: out of &lt;memory&gt;" in web_page(report)
