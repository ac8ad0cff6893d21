"""Heat maps as SVG files."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from nmt_lstm.lab.report.drawing import width_of
from nmt_lstm.lab.report.heat_map import LEVELS, SHARE, SIGNED, Block, HeatMap, Picture, Scale, heat_map_file

SCALE = Scale(0.0, 1.0, SHARE, ((1.0, "open"), (0.0, "closed")))
OTHER = Scale(-2.0, 2.0, SIGNED, ((2.0, "+2"), (-2.0, "−2")))


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def picture(columns: list[str], maps: list[HeatMap]) -> str:
    return heat_map_file(
        Picture("A title", "One line.\nTwo lines.", [("", [Block("A block", columns, maps)])])
    )


def test_labels_title_and_scale_are_there() -> None:
    svg = picture(["eins", "<&>"], [HeatMap("attention", bytes(4), SCALE, ["若い", "two"])])
    assert texts(svg)[:3] == ["A title", "One line.", "Two lines."]
    assert set(texts(svg)) >= {"A block", "eins", "<&>", "若い", "two", "open", "closed"}


def test_a_scale_is_shown_where_it_changes() -> None:
    strips = [HeatMap(name, bytes(64), scale) for name, scale in [("a", SCALE), ("b", SCALE), ("c", OTHER)]]
    assert texts(picture(["x", "y"], strips)).count("open") == 1
    assert texts(picture(["x", "y"], strips)).count("+2") == 1


def test_a_strip_of_many_units_is_one_image() -> None:
    svg = picture(["x", "y"], [HeatMap("forget", bytes(2 * 512), SCALE)])
    assert svg.count("<image") == 2  # the strip and the bar of its scale
    assert len(svg) < 20_000


def test_long_labels_are_turned_and_stay_inside() -> None:
    svg = picture(["Donaudampfschifffahrt"] * 3, [HeatMap("forget", bytes(3), SCALE)])
    turned = re.findall(r'y="([\d.]+)"[^>]*rotate\(-55', svg)
    assert len(turned) == 3
    assert min(map(float, turned)) - width_of("Donaudampfschifffahrt", 12) * 0.82 > 0


@pytest.mark.parametrize(("colours", "level"), [(SHARE, 0), (SIGNED, LEVELS // 2)])
def test_zero_is_white(colours, level) -> None:
    assert len(colours) == LEVELS
    assert colours[level] == (255, 255, 255)


def test_japanese_letters_are_wider_and_have_a_japanese_font() -> None:
    assert width_of("若い", 10) == 20
    assert width_of("ab", 10) < 15
    assert "Noto Sans CJK JP" in picture(["x"], [HeatMap("a", bytes(1), SCALE)])
