"""Line charts: points in proportion, lines told apart by more than colour, text that cannot be markup."""

from __future__ import annotations

import re

from nmt_lstm.lab.report.line_chart import Line, line_chart

ONE = Line("<gru>", [(0, 0), (50, 30), (100, 40)])
OTHER = Line("lstm", [(0, 10), (100, 20)], parts=[[(0, 5), (100, 15)], [(0, 15), (100, 25)]])


def chart(*lines: Line) -> str:
    return line_chart(lines, caption="BLEU & time", x_label="updates", y_label="BLEU <sub>")


def test_points_stand_in_their_places() -> None:
    text = chart(ONE)
    assert 'points="0.00,100.00 50.00,25.00 100.00,0.00"' in text
    places = re.findall(r'<svg x="([\d.]+)%" y="([\d.]+)%" width="1" height="1" class="line-mark">', text)
    assert places == [("0.00", "100.00"), ("50.00", "25.00"), ("100.00", "0.00")]


def test_scales_are_round_and_written() -> None:
    numbers = re.findall(r">([\d.,−]+)</text>", chart(ONE, OTHER))
    assert numbers == ["0", "10", "20", "30", "40", "0", "20", "40", "60", "80", "100"]


def test_the_outer_numbers_stay_within_the_figure() -> None:
    anchors = re.findall(r'text-anchor="(\w+)"', chart(ONE))
    assert anchors[-6:] == ["start", "middle", "middle", "middle", "middle", "end"]


def test_lines_differ_by_mark_and_dashes() -> None:
    text = chart(ONE, OTHER)
    assert len(set(re.findall(r'<path d="([^"]+)"', text))) == 2
    assert text.count('stroke-dasharray="7 3"') == 2  # the line and its sample in the legend


def test_what_a_line_is_the_mean_of_is_faint() -> None:
    assert chart(ONE, OTHER).count('class="series series-2 faint"') == 2
    assert 'class="series series-1 faint"' not in chart(ONE, OTHER)


def test_text_is_escaped() -> None:
    text = chart(ONE)
    assert "&lt;gru&gt;" in text
    assert "BLEU &amp; time" in text
    assert "BLEU &lt;sub&gt;" in text
    assert "<gru>" not in text
    assert "<sub>" not in text


def test_no_styles_are_inline() -> None:
    """The page's policy forbids them."""
    assert "style=" not in chart(ONE, OTHER)


def test_a_single_point_has_scales_too() -> None:
    text = chart(Line("x", [(3, 3)]))
    assert 'class="line-mark"' in text
    assert "nan" not in text


def test_small_numbers_keep_their_digits() -> None:
    text = chart(Line("x", [(0, 0.001), (1, 0.004)]))
    assert ">0.001<" in text
    assert ">0.004<" in text
