"""Dot plots: round ticks that enclose the data, proportional positions, and escaped names."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt_lstm.lab.report.dot_plot import Dot, dot_plot, ticks


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_enclose_the_data_and_are_evenly_spaced(low, span) -> None:
    result = ticks(low, low + span)
    assert 2 <= len(result) <= 12
    step = result[1] - result[0]
    assert result[0] <= low + 1e-6 * step
    assert result[-1] >= low + span - 1e-6 * step
    assert [b - a for a, b in itertools.pairwise(result)] == pytest.approx([step] * (len(result) - 1))


def test_ticks_are_round() -> None:
    assert ticks(33.2, 41.7) == [32, 34, 36, 38, 40, 42]
    assert ticks(0.1, 0.35) == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.3, 0.35])


def test_dots_and_intervals_have_proportional_positions() -> None:
    dots = [Dot("<one>", 40, 35, 45, "40.0", note="35-45"), Dot("two", 30, 30, 50, "30.0", filled=False)]
    text = dot_plot(dots, caption="BLEU & more")
    assert "<figcaption>BLEU &amp; more</figcaption>" in text
    assert 'title="&lt;one&gt;">&lt;one&gt;</span>' in text
    assert re.findall(r'cx="([\d.]+)%"', text) == ["50.00", "2.00"]
    assert '<line x1="26.00%" x2="74.00%" y1="50%" y2="50%" class="interval">' in text
    assert text.count('class="dot"') == text.count('class="dot ring"') == 1
    assert re.findall(r">(\d+)</text>", text) == ["30", "35", "40", "45", "50"]


def test_a_single_value_has_a_scale() -> None:
    assert "50.00%" in dot_plot([Dot("x", 0, 0, 0, "0")], caption="")
