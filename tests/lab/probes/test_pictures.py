"""Charts as SVG: valid XML, values in their places, text escaped."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest

from nmt_lstm.lab.probes.pictures import draw_curves, draw_gradient_flow, draw_losses
from nmt_lstm.lab.probes.summary import summarise
from nmt_lstm.lab.report.panel_chart import Axis, Panel, Reference, Series, panel_chart

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


def lines(svg: str) -> list[list[tuple[float, float]]]:
    """The points of all lines of series, in pixels."""
    found = []
    for node in ET.fromstring(svg).iter(f"{SVG}path"):
        if node.get("fill") == "none" and "L" in node.get("d"):
            points = node.get("d").removeprefix("M").split("L")
            found.append([tuple(map(float, point.split())) for point in points])
    return found


@pytest.fixture
def summary(make_run, make_record):
    records = []
    for cell, loss in (("rnn", 1.0), ("gru", 0.02), ("lstm", None)):
        for length in (4, 40):
            run = make_run(cell, length=length)
            records.append(
                (f"{cell} <i>", make_record(run, loss=loss, stopped="solved" if loss == 0.02 else "steps"))
            )
    return summarise(records, cells=["rnn <i>", "gru <i>", "lstm <i>"], tasks=["adding"])


def test_values_lie_between_the_ends_of_an_axis() -> None:
    linear, log = Axis("", 0.0, 4.0, []), Axis("", 1.0, 100.0, [], log=True)
    assert [linear.share(value) for value in (-1, 0, 1, 4, 9)] == [0, 0, 0.25, 1, 1]
    assert [log.share(value) for value in (0, 1, 10, 100, math.inf)] == [0, 0, 0.5, 1, 1]


def test_a_chart_puts_points_where_they_belong() -> None:
    x, y = Axis("steps", 0, 10, [(0, "none"), (10, "ten")]), Axis("loss", 0, 2, [(1, "one")])
    panel = Panel("a & b", x, y, [Series(0, line=[(0, 2), (5, 1), (10, 0)])], [Reference(1, "<base>")])
    svg = panel_chart("Title", "first\nsecond", ["a"], [panel, panel], columns=2)
    first, second = lines(svg)
    assert first == second == [(0, 0), (first[2][0] / 2, first[2][1] / 2), first[2]]
    assert {"Title", "first", "second", "a & b", "<base>", "none", "ten", "one", "steps", "loss"} <= set(
        texts(svg)
    )
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_many_cells_keep_their_own_looks_and_the_legend_breaks() -> None:
    axis = Axis("", 0, 1, [])
    names = [f"a cell with a long name {number}" for number in range(20)]
    panel = Panel("", axis, axis, [Series(key, line=[(0, 0), (1, 1)], dots=[(1, 1)]) for key in range(20)])
    svg = ET.fromstring(panel_chart("", "", names, [panel], columns=3))
    looks = [
        (p.get("stroke"), p.get("stroke-dasharray")) for p in svg.iter(f"{SVG}path") if "L" in p.get("d")
    ]
    assert len(set(looks)) == 20
    width = float(svg.get("width"))
    legend = [text for text in svg.iter(f"{SVG}text") if (text.text or "").startswith("a cell")]
    assert len(legend) == 20
    assert all(float(text.get("x")) + 6 * len(text.text) < width for text in legend)
    assert len({text.get("y") for text in legend}) > 5


def test_losses_are_shares_of_the_baseline(summary) -> None:
    svg = draw_losses(summary)
    rnn, gru, lstm = lines(svg)
    assert [y for _, y in rnn] == pytest.approx([170 * 0.4 / 1.4] * 2, abs=0.1)
    assert [y for _, y in gru] == pytest.approx([170 * 1.38 / 1.4] * 2, abs=0.1)
    assert [y for _, y in lstm] == [0, 0], "a loss that is no number lies at the upper edge"
    assert rnn[0][0] < 30 < 200 < rnn[1][0]
    assert {"adding", "4", "40", "rnn <i>", "baseline", "solved"} <= set(texts(svg))


def test_curves_have_a_point_for_each_test(summary) -> None:
    svg = draw_curves(summary)
    assert len(lines(svg)) == 6
    for line in lines(svg):
        assert [x for x, _ in line] == [120, 240]
        assert line[0][1] == pytest.approx(170 * 0.4 / 1.4, abs=0.1)
    assert {"adding, length 4", "adding, length 40"} <= set(texts(svg))


def test_gradient_flow_is_relative_and_its_zeros_are_drawn(summary) -> None:
    svg = draw_gradient_flow(summary)
    initial, trained = lines(svg)[:3], lines(svg)[3:]
    assert len(initial) == len(trained) == 3
    heights = [y for _, y in initial[0]]
    assert heights == sorted(heights)
    first, second, last = (y for _, y in trained[0])
    assert first == second == heights[0] == 0
    assert last == 170
    assert {"adding, length 40, at initialisation", "adding, length 40, after training", "10⁻¹²"} <= set(
        texts(svg)
    )


@pytest.mark.parametrize("draw", [draw_losses, draw_curves, draw_gradient_flow])
def test_one_cell_one_length_is_enough(draw, make_record) -> None:
    summary = summarise([("gru", make_record())], cells=["gru"], tasks=["adding"])
    assert "adding" in " ".join(texts(draw(summary)))
