"""The three pictures: values in their places."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from nmt_lstm.lab.probes.pictures import draw_curves, draw_gradient_flow, draw_losses
from nmt_lstm.lab.probes.summary import summarise

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
