"""Markup: all text is escaped, wherever it is inserted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nmt_lstm.lab.report.markup import Markup, element, joined

ATTACK = """<script>alert("1")</script><img src=x onerror='x'>&amp;"""


def test_text_and_attributes_are_escaped(parse_page) -> None:
    page = parse_page(element("p", ATTACK, element("b", ATTACK), title=ATTACK))
    assert (page.tags, page.text, page.values) == (["p", "b"], ATTACK * 2, [ATTACK])


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_is_shown_unchanged(parse_page, text) -> None:
    page = parse_page(element("td", text, data_sort=text))
    assert (page.tags, page.text, page.values) == (["td"], text, [text])


def test_attributes_may_be_texts_numbers_and_flags() -> None:
    head = element("th", "x", class_="number", data_sort=1.5, hidden=True, title=None, checked=False)
    assert head == '<th class="number" data-sort="1.5" hidden>x</th>'


def test_markup_is_not_escaped_and_void_elements_have_no_end() -> None:
    assert joined("a<", Markup("<hr>"), element("br")) == "a&lt;<hr><br>"
    assert isinstance(joined("a"), Markup)
