"""Line charts: proportional points, lines that differ in more than colour, and escaped text."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

from nmt_lstm.lab.report.line_chart import Axis, Panel, Reference, Series, chart_figure, chart_file

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


def lines(svg: str) -> list[list[tuple[float, float]]]:
    """The points of all lines of series, in pixels."""
    return [
        [tuple(map(float, point.split())) for point in path.split("L")]
        for path in re.findall(r'<path d="M([^"]+L[^"]+)" fill="none"', svg)
    ]


def figure(*series: Series, labels=("<gru>", "lstm")) -> str:
    points = [point for each in series for point in (*each.line, *each.dots)]
    x = Axis.around("updates", [x for x, _ in points])
    y = Axis.around("BLEU <sub>", [y for _, y in points])
    return chart_figure("BLEU & time", labels, Panel("", x, y, series))


def test_values_lie_between_the_ends_of_an_axis() -> None:
    linear, log = Axis("", 0.0, 4.0, []), Axis("", 1.0, 100.0, [], log=True)
    assert [linear.share(value) for value in (-1, 0, 1, 4, 9)] == [0, 0, 0.25, 1, 1]
    assert [log.share(value) for value in (0, 1, 10, 100, math.inf)] == [0, 0, 0.5, 1, 1]


def test_points_have_proportional_positions() -> None:
    x, y = Axis("steps", 0, 10, [(0, "none"), (10, "ten")]), Axis("loss", 0, 2, [(1, "one")])
    panel = Panel("a & b", x, y, [Series(0, line=[(0, 2), (5, 1), (10, 0)])], [Reference(1, "<base>")])
    svg = chart_file("Title", "first\nsecond", ["a"], [panel, panel], columns=2)
    first, second = lines(svg)
    assert first == second == [(0, 0), (first[2][0] / 2, first[2][1] / 2), first[2]]
    assert {"Title", "first", "second", "a & b", "<base>", "none", "ten", "one", "steps", "loss"} <= set(
        texts(svg)
    )
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_many_lines_are_distinct_and_the_legend_breaks() -> None:
    axis = Axis("", 0, 1, [])
    names = [f"a cell with a long name {number}" for number in range(20)]
    panel = Panel("", axis, axis, [Series(key, line=[(0, 0), (1, 1)], dots=[(1, 1)]) for key in range(20)])
    svg = ET.fromstring(chart_file("", "", names, [panel], columns=3))
    looks = [
        (p.get("stroke"), p.get("stroke-dasharray")) for p in svg.iter(f"{SVG}path") if "L" in p.get("d")
    ]
    assert len(set(looks)) == 20
    width = float(svg.get("width"))
    legend = [text for text in svg.iter(f"{SVG}text") if (text.text or "").startswith("a cell")]
    assert len(legend) == 20
    assert all(float(text.get("x")) + 6 * len(text.text) < width for text in legend)
    assert len({text.get("y") for text in legend}) > 5


def test_scales_around_values_have_round_labelled_marks() -> None:
    axis = Axis.around("x", [-3, 37.5])
    assert (axis.low, axis.high) == (-10, 40)
    assert [text for _, text in axis.marks] == ["−10", "0", "10", "20", "30", "40"]
    small = Axis.around("x", [0.001, 0.004])
    assert "0.001" in [text for _, text in small.marks]
    assert Axis.around("x", [3]).low < 3 < Axis.around("x", [3]).high


def test_lines_differ_in_marks_and_dashes() -> None:
    text = figure(*(Series(key, line=[(0, 0), (9, 9)], dots=[(9, 9)]) for key in (0, 1)))
    dashes = re.findall(
        r'fill="none" [^>]*?(?:stroke-dasharray="([^"]*)")?(?: opacity="[^"]*")? class="stroke', text
    )
    assert dashes == ["", "7 3", "", "7 3"], "those of the legend, and those of the lines"
    assert len({re.sub(r"^M[\d. -]+", "", path) for path in re.findall(r'd="([^"]+)" fill="#', text)}) == 2


def test_one_of_several_lines_is_faint() -> None:
    line = [(0, 0), (9, 9)]
    assert figure(Series(0, line), Series(0, line, thin=True)).count("opacity=") == 1


def test_text_of_a_figure_is_escaped_and_styles_are_not_inline() -> None:
    """The policy of the page forbids the latter."""
    text = figure(Series(0, [(0, 0), (9, 9)]))
    for escaped in ("&lt;gru&gt;", "BLEU &amp; time", "BLEU &lt;sub&gt;"):
        assert escaped in text
    assert "<gru>" not in text
    assert "<sub>" not in text
    assert "style=" not in text
    assert "nan" not in text
