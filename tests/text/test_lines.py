"""Any text becomes a single line, and warnings about lines are limited."""

from __future__ import annotations

import pytest

from nmt_lstm.text.lines import LineWarnings, has_unsafe, single_line, without_line_end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", "a b"),
        ("a\tb", "a b"),
        ("a\x00\x1f\u2028b", "a b"),
        ("a\ud800b\x85", "a b "),
        ("日本\u3000語", "日本\u3000語"),
    ],
)
def test_runs_of_control_characters_become_a_space(text, expected) -> None:
    assert single_line(text) == expected
    assert has_unsafe(text) == (text != expected)


@pytest.mark.parametrize(("line", "expected"), [("a\n", "a"), ("a\r\n", "a"), ("a\r", "a\r"), ("a", "a")])
def test_only_line_feeds_end_a_line(line, expected) -> None:
    assert without_line_end(line) == expected


def test_at_most_ten_warnings_of_a_kind_are_logged(caplog) -> None:
    warnings = LineWarnings()
    for number in range(1, 15):
        warnings.unsafe(number)
    warnings.too_long(3, 600, 500)
    warnings.invisible(4, "\u00a0")
    messages = [record.getMessage() for record in caplog.records]
    assert [message.split(":")[0] for message in messages if message.startswith("line ")] == [
        *(f"line {number}" for number in range(1, 11)),
        "line 3",
        "line 4",
    ]
    assert sum("control characters" in message for message in messages) == 11
    assert "600" in messages[-2]
    assert "U+00A0" in messages[-1]
