"""Marks of the differences between two sentences."""

from __future__ import annotations

import html
import re

import pytest

from nmt_lstm.lab.report.word_differences import marked_differences


@pytest.mark.parametrize(
    ("one", "other", "marked"),
    [
        ("A man is running.", "A man walks.", (["is running"], ["walks"])),
        ("A man runs.", "A man runs.", ([], [])),
        ("A man runs.", "", (["A man runs."], [])),
        ("", "", ([], [])),
        ("a dog", "a big dog", ([], ["big"])),
        ("彼女は本を読んだ。", "彼女は本を買った。", (["読んだ"], ["買った"])),
        ("a <b> & c", "a <i> & c", (["b"], ["i"])),
        ("one  two", "one two", ([], [])),
    ],
)
def test_only_differences_are_marked(one, other, marked) -> None:
    result = marked_differences(one, other)
    for text, page, expected in zip((one, other), result, marked, strict=True):
        assert [html.unescape(part) for part in re.findall("<mark>(.*?)</mark>", page)] == expected
        assert html.unescape(re.sub("</?mark>", "", page)) == text
    assert [re.sub("</?mark>", "", page).count("<") for page in result] == [0, 0]


def test_very_long_sentences_are_shown_without_marks() -> None:
    one, other = "a b " * 3_000, "a c " * 3_000
    assert marked_differences(one, other) == (one, other)
