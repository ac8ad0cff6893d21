"""Any text as a single line."""

from __future__ import annotations

import pytest

from nmt_lstm.text.lines import has_unsafe, single_line, without_line_end


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
def test_line_ends_are_those_of_files(line, expected) -> None:
    assert without_line_end(line) == expected
