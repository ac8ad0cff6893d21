"""Which tags of a line begin and end an element."""

from __future__ import annotations

import pytest

from nmt_lstm.text.inline_tags import inline_items, tag_name
from nmt_lstm.text.marked_text import Item, Kind


@pytest.mark.parametrize(
    ("tags", "kinds"),
    [
        (["<b>", "</b>"], "OPEN CLOSE"),
        (["<B x='1'>", "<i>", "</i>", "</b >"], "OPEN OPEN CLOSE CLOSE"),
        (["<b>", "<i>", "</b>", "</i>"], "OPEN POINT CLOSE POINT"),
        (["</b>", "<b>"], "POINT POINT"),
        (["<x/>", "{a}", "<b>"], "POINT WORD POINT"),
    ],
)
def test_tags_are_paired(tags, kinds) -> None:
    items = inline_items([Item(Kind.WORD, tag) for tag in tags])
    assert [item.kind.name for item in items] == kinds.split()


def test_elements_within_too_many_others_are_points() -> None:
    items = inline_items([Item(Kind.WORD, "<b>")] * 60 + [Item(Kind.WORD, "</b>")] * 60)
    assert {item.kind for item in items} == {Kind.POINT}


def test_the_name_of_a_tag() -> None:
    assert [tag_name(text) for text in ("<B>", "</x:y >", "<a/>", "a", "<a", "<!-- b -->", "&a;")] == [
        "b", "x:y", "a", "", "", "", "",
    ]  # fmt: skip
