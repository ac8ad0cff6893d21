"""Text without its marks, and where they stood."""

from __future__ import annotations

import pytest

from nmt_lstm.text.marked_text import Item, Kind, Mark, marked_text


def items(*parts: str) -> list[Item]:
    kinds = {"{": Kind.WORD, "<": Kind.OPEN, "[": Kind.POINT}
    return [
        Item(Kind.CLOSE if part.startswith("</") else kinds.get(part[:1], Kind.TEXT), part) for part in parts
    ]


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["Hello ", "{n}", ", how ", "{m}", " are you"], "Hello, how are you"),
        (["{n}", " is ", "{m}"], "is"),
        (["10", "{n}", "px"], "10 px"),
        (["a", "{n}", "{m}", " b"], "a b"),
        (["彼は", "{n}", "です"], "彼はです"),
        (["  a\n\tb\x00", "<b>", " c ", "</b>", " d"], "a b c d"),
        (["a ", "[br]", " b"], "a b"),
        (["", "{n}"], ""),
        (["(", "{n}", ")"], "()"),
    ],
)
def test_what_is_left(parts, text) -> None:
    marked = marked_text(items(*parts))
    assert marked.text == text
    assert marked.is_translatable == any(map(str.isalnum, text))


def test_marks_count_characters_that_are_not_spaces() -> None:
    marked = marked_text(items("a b ", "<b>", "c", "{n}", " d", "</b>", "[x]", " e"))
    assert marked.text == "a b c d e"
    assert marked.marks == (
        Mark(2, 4, "<b>", "</b>", marks=(Mark(3, 3, "{n}", is_word=True, left="c", right=" "),)),
        Mark(4, 4, "[x]", left="d", right=" "),
    )


def test_marks_next_to_each_other_know_it() -> None:
    first, second = marked_text(items("{a}", "{b}", ".")).marks
    assert (first.left, first.right, second.left, second.right) == ("", "{", "}", ".")
