"""The charts: values at their positions."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from nmt_lstm.lab.probes.pictures import draw_curves, draw_gradient_flow, draw_losses
from nmt_lstm.lab.probes.summary import summarise

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


def lines(svg: str) -> list[list[tuple[float, float]]]:
    """Return the points of all lines, in pixels."""
    points_of_lines = []
    for node in ET.fromstring(svg).iter(f"{SVG}path"):
        if node.get("fill") == "none" and "L" in node.get("d"):
            points = node.get("d").removeprefix("M").split("L")
            points_of_lines.append([tuple(map(float, point.split())) for point in points])
    return points_of_lines


@pytest.fixture
def summary(make_run, make_result):
    """Three cells at two lengths, of which one solves both and one diverges."""
    results = []
    for cell, loss in (("rnn", 1.0), ("gru", 0.02), ("lstm", None)):
        for length in (4, 40):
            run = make_run(cell, length=length)
            results.append(
                (f"{cell} <i>", make_result(run, loss=loss, stopped="solved" if loss == 0.02 else "steps"))
            )
    return summarise(results, cells=["rnn <i>", "gru <i>", "lstm <i>"], tasks=["adding"])


def test_losses_are_relative_to_the_baseline(summary) -> None:
    svg = draw_losses(summary)
    rnn, gru, lstm = lines(svg)
    assert [y for _, y in rnn] == pytest.approx([170 * 0.4 / 1.4] * 2, abs=0.1)
    assert [y for _, y in gru] == pytest.approx([170 * 1.38 / 1.4] * 2, abs=0.1)
    assert [y for _, y in lstm] == [0, 0], "a loss that is not a number is at the upper edge"
    assert rnn[0][0] < 30 < 200 < rnn[1][0]
    assert {"adding", "4", "40", "rnn <i>", "baseline", "solved"} <= set(texts(svg))


def test_curves_have_a_point_for_each_test(summary) -> None:
    svg = draw_curves(summary)
    assert len(lines(svg)) == 6
    for line in lines(svg):
        assert [x for x, _ in line] == [120, 240]
        assert line[0][1] == pytest.approx(170 * 0.4 / 1.4, abs=0.1)
    assert {"adding, length 4", "adding, length 40"} <= set(texts(svg))


def test_gradient_flow_is_relative_and_zeros_are_at_the_lower_edge(summary) -> None:
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
def test_one_cell_and_one_length_suffice(draw, make_result) -> None:
    summary = summarise([("gru", make_result())], cells=["gru"], tasks=["adding"])
    assert "adding" in " ".join(texts(draw(summary)))
