"""Spaces around words and tags that were put into a translation."""

from __future__ import annotations

import pytest

from nmt_lstm.inference.mark_spaces import text_parts
from nmt_lstm.inference.placement import Placed
from nmt_lstm.text.marked_text import Mark


def word(gap: int, left: str = " ", right: str = " ", text: str = "{x}") -> Placed:
    return Placed(Mark(0, 0, text, is_word=True, left=left, right=right), gap, gap)


def written(text: str, *marks: Placed) -> str:
    """Each character of the text that is not a space is a piece."""
    solids = range(len(text.replace(" ", "")) + 1)
    return "".join(part.text for part in text_parts(marks, solids, text))


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("a b", word(1), "a {x} b"),
        ("a b.", word(2), "a b {x}."),
        ("a b", word(0, left=""), "{x} a b"),
        ("a b", word(2, right=""), "a b {x}"),
        ("10 px", word(2, left="0"), "10{x} px"),
        ("10 px", word(2, right="p"), "10 {x}px"),
        ("a (b)", word(2), "a ({x} b)"),
        ("a, b", word(2, right=","), "a, {x} b"),
        ("彼はだ", word(2), "彼は{x}だ"),
        ("彼は。", word(2, left="a", right="b"), "彼は{x}。"),
        ("say it", word(3, left="は", right="で"), "say {x} it"),
        ("a", word(1, left="#", right=""), "a {x}"),
        ("#", word(1, left="#", right=""), "#{x}"),
    ],
)
def test_a_word_is_set_apart_as_the_language_does(text, place, expected) -> None:
    assert written(text, place) == expected


def test_words_next_to_each_other_stay_as_they_were() -> None:
    together = (word(1, text="{a}", right="{"), word(1, text="{b}", left="}"))
    assert written("x y", *together) == "x {a}{b} y"
    apart = (word(1, text="{a}"), word(1, text="{b}"))
    assert written("x y", *apart) == "x {a} {b} y"


def test_tags_take_no_space_of_their_own() -> None:
    def element(start, end, *marks):
        return Placed(Mark(0, 1, "<b>", "</b>"), start, end, marks)

    assert written("a b c", element(1, 2)) == "a <b>b</b> c"
    assert written("a b c", element(0, 1), element(1, 3, element(2, 3))) == "<b>a</b> <b>b <b>c</b></b>"
    assert written("a b", element(1, 1)) == "a <b></b>b"
    assert written("a b", element(0, 1), word(1), element(1, 2)) == "<b>a</b> {x} <b>b</b>"
    assert written("a b", Placed(Mark(0, 0, "<br>", left=" "), 1, 1)) == "a <br>b"
    assert written("ab", Placed(Mark(0, 0, "<br>", left="a"), 1, 1)) == "a<br>b"
    assert written("", element(0, 0)) == "<b></b>"
