"""Escaping: what is not markup stays text, wherever it stands."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from nmt_lstm.lab.report.markup import Markup, element, joined

ATTACK = """<script>alert("1")</script><img src=x onerror='x'>&amp;"""


class Reader(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.values: list[str | None] = []

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.append(tag)
        self.values += [value for _, value in attributes]

    def handle_data(self, data) -> None:
        self.text += data


def test_texts_and_attributes_are_escaped() -> None:
    reader = Reader()
    reader.feed(element("p", ATTACK, element("b", ATTACK), title=ATTACK))
    assert reader.tags == ["p", "b"]
    assert reader.text == ATTACK * 2
    assert reader.values == [ATTACK]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_comes_out_as_it_went_in(text) -> None:
    reader = Reader()
    reader.feed(element("td", text, data_sort=text))
    reader.close()
    assert (reader.tags, reader.text, reader.values) == (["td"], text, [text])


def test_attributes_of_all_kinds() -> None:
    found = element("th", "x", class_="number", data_sort=1.5, hidden=True, title=None, checked=False)
    assert found == '<th class="number" data-sort="1.5" hidden>x</th>'


def test_markup_is_left_alone_and_some_elements_have_no_end() -> None:
    assert joined("a<", Markup("<hr>"), element("br")) == "a&lt;<hr><br>"
    assert isinstance(joined("a"), Markup)
