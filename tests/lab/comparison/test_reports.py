"""The report in Markdown and HTML: the same answer and numbers, nothing lost, nothing that is markup by accident."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.lab.comparison.description import Report, markdown_report, sections_of, text_line, title_of
from nmt_lstm.lab.comparison.findings import compare_runs
from nmt_lstm.lab.comparison.html import web_page
from nmt_lstm.lab.comparison.tables import cost_table, length_table, pair_table, quality_table
from nmt_lstm.lab.comparison.verdict import Circumstances, give_verdict

QUALITIES = {"lstm": (4, 5), "gru": (4, 4), "my_cells:<b>Mine</b>|*": (2, 2)}


@pytest.fixture(scope="module")
def make_report(make_plan_of: Any, make_runs: Any, test_text: Any):
    """Return a function that makes a report from the qualities of the seeds by variant."""

    def make(qualities: dict[str, tuple[int, ...]] = QUALITIES, *, failures=None, **changed: Any) -> Report:
        plan = make_plan_of(*qualities, test_source=Path("a & b"), command="nmt-lstm compare <x>")
        findings = compare_runs(plan, make_runs(qualities, **changed), test_text)
        circumstances = Circumstances(jobs=2, failures=failures or {})
        return Report(plan, findings, give_verdict(findings, plan, circumstances), circumstances)

    return make


class Reader(HTMLParser):
    """Collects the tags that are open at the end, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attributes) -> None:
        if tag not in {"meta", "br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)


def read(html: str) -> str:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return " ".join(reader.text)


def test_both_formats_give_the_verdict_and_every_number(make_report) -> None:
    report = make_report()
    markdown, html = markdown_report(report), read(web_page(report))
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


def test_a_report_without_validations_says_so(make_report) -> None:
    empty = {"curve": []}
    report = make_report({"lstm": (4, 4), "gru": (3, 3)}, lstm=empty, gru=empty)
    assert "logged no validations" in web_page(report)
    assert "Learning curves" in markdown_report(report)


def test_failed_runs_are_listed(make_report) -> None:
    report = make_report(failures={"gru-2": "out of <memory>"})
    assert "gru-2: out of &lt;memory&gt;" in markdown_report(report)
    assert "gru-2: out of &lt;memory&gt;" in web_page(report)


def test_the_page_loads_nothing(make_report) -> None:
    html = web_page(make_report())
    assert not re.findall(r'(?:src|href)="(?!#)', html)
    assert "style=" not in html


def test_the_title_lists_a_few_variants_and_counts_many(make_plan_of) -> None:
    assert title_of(make_plan_of("rnn", "gru", "lstm")) == "Cell: rnn, gru or lstm?"
    assert title_of(make_plan_of(*"abcdefg")) == "7 variants of cell"


def test_more_than_one_pair_is_folded(make_report) -> None:
    assert "All pairs" in web_page(make_report())
    report = make_report({"lstm": (4, 4), "gru": (3, 3)})
    assert "All pairs" not in web_page(report)
    assert pair_table(report.findings).rows[0][0] in web_page(report)


def test_gpu_memory_is_shown_if_there_is_a_gpu(make_report) -> None:
    gpu = {"device_bytes": 3 * 2**30, "device": "NVIDIA X"}
    report = make_report({"lstm": (4, 4), "gru": (3, 3)}, lstm=gpu, gru=gpu)
    table = cost_table(report.findings)
    assert table.columns[-1].title == "GPU memory, MiB"
    assert table.rows[0][-1].content == "3,072"
    assert ("trained on", "NVIDIA X; 2 run(s) at a time") in sections_of(report)[-1].facts
