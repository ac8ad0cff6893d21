"""The report of a comparison as a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Callable

import nmt_lstm
from nmt_lstm.lab.comparison.description import Report, Section, sections_of, text_line, title_of
from nmt_lstm.lab.comparison.findings import Findings
from nmt_lstm.lab.comparison.run_result import CurvePoint
from nmt_lstm.lab.report.dot_plot import Dot, dot_plot
from nmt_lstm.lab.report.line_chart import Axis, Panel, Series, chart_figure
from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.lab.report.page import contents, page, section
from nmt_lstm.lab.report.table import facts, folded

__all__ = ["web_page"]

Value = Callable[[CurvePoint], float]
_MIN_MINUTES = 180.0  # seconds; shorter time axes count seconds


def web_page(report: Report) -> str:
    """Return the page as an HTML document."""
    findings = report.findings
    figures = {"quality": _quality(findings), "curves": _curves(report)}
    sections = sections_of(report)
    return page(
        title_of(report.plan),
        element("p", report.verdict.headline, class_="answer"),
        contents([(each.anchor, each.heading) for each in sections]),
        *(_section(each, figures.get(each.anchor, Markup())) for each in sections),
        lead=text_line(report),
        footer=f"Made by nmt-lstm {nmt_lstm.__version__}.",
    )


def _section(content: Section, figure: Markup) -> Markup:
    blocks = [figure]
    if content.sentences:
        blocks.append(element("ul", *(element("li", sentence) for sentence in content.sentences)))
    blocks += [table.html() for table in content.tables]
    if content.facts:
        blocks.append(facts(content.facts))
    return section(content.heading, *blocks, anchor=content.anchor)


def _quality(findings: Findings) -> Markup:
    equal = findings.as_good_as_best()
    dots = [
        Dot(
            each.name,
            each.bleu,
            each.bleu_interval.low,
            each.bleu_interval.high,
            f"{each.bleu:.2f}",
            filled=each in equal,
        )
        for each in findings.variants
    ]
    return dot_plot(
        dots,
        caption="BLEU, mean over seeds, with 95 % intervals over test sentences. Filled: the best variant and those within "
        "noise of it. Ring: significantly worse. All variants translate the same sentences, so differences are more certain "
        "than overlapping intervals suggest.",
    )


def _curves(report: Report) -> Markup:
    findings = report.findings
    if not any(each.mean_curve() for each in findings.variants):
        return element("p", "The training runs logged no validations.")
    longest = max(point.seconds for each in findings.variants for curve in each.curves for point in curve)
    unit, seconds = ("minutes", 60.0) if longest >= _MIN_MINUTES else ("seconds", 1.0)
    legend = (
        " Thick lines are means over seeds, thin lines single seeds."
        if len(report.plan.request.seeds) > 1
        else ""
    )

    def charts(y: Value, y_title: str) -> Markup:
        updates = _chart(
            findings, lambda point: point.step, y, "updates", y_title, f"Against updates.{legend}"
        )
        time = _chart(
            findings,
            lambda point: point.seconds / seconds,
            y,
            f"{unit} of training",
            y_title,
            f"Against time, including validation.{legend}",
        )
        return element("div", updates, time, class_="charts")

    blocks = [charts(lambda point: point.bleu, "validation BLEU")]
    # Losses per piece are comparable only if the pieces are the same.
    if len({each.planned.fingerprint for each in findings.variants}) == 1:
        blocks.append(folded("Validation loss", charts(lambda point: point.loss, "nats per target piece")))
    return joined(*blocks)


def _chart(findings: Findings, x: Value, y: Value, x_title: str, y_title: str, caption: str) -> Markup:
    drawn = [each for each in findings.variants if each.mean_curve()]
    series = []
    for key, each in enumerate(drawn):
        if len(each.curves) > 1:
            series += [
                Series(key, [(x(point), y(point)) for point in curve], thin=True) for curve in each.curves
            ]
        mean = [(x(point), y(point)) for point in each.mean_curve()]
        series.append(Series(key, mean, mean))
    points = [point for each in series for point in each.line]
    across = Axis.around(x_title, [0.0, *(value for value, _ in points)])
    panel = Panel("", across, Axis.around(y_title, [value for _, value in points]), series)
    return chart_figure(caption, [each.name for each in drawn], panel)
