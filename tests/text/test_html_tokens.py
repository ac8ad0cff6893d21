"""Documents as tokens: nothing is lost, and what is not well-formed is text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.text.html_tokens import TokenKind, attributes, html_tokens

SNIPPETS = st.sampled_from(
    ["<", ">", "</", "<b>", "</b>", "<a href='", '<a x="', '"', "'", "=", "<!--", "-->", "<script>", "</script>", "<!", "<?", "<![CDATA[", "]]>", "/>", " ", "Hund", "&amp;", "\x00", "<İ"]
)  # fmt: skip


def kinds(document: str) -> list[tuple[str, str]]:
    return [(token.kind.name, token.text) for token in html_tokens(document)]


@given(st.lists(st.one_of(SNIPPETS, st.text(max_size=5))).map("".join))
@settings(max_examples=80, deadline=None)
def test_joined_tokens_are_the_document(document) -> None:
    tokens = list(html_tokens(document))
    assert "".join(token.text for token in tokens) == document
    assert all(
        first.kind is not TokenKind.TEXT or second.kind is not TokenKind.TEXT
        for first, second in itertools.pairwise(tokens)
    )


@pytest.mark.parametrize(
    ("document", "tokens"),
    [
        ('<A href="a>b" x>t</a >', 'START <A href="a>b" x>|TEXT t|END </a >'),
        ("<b title=don't>x", "START <b title=don't>|TEXT x"),
        ("1 < 2 <3 & a<b", "TEXT 1 < 2 <3 & a<b"),
        ("<b <i>x", "TEXT <b |START <i>|TEXT x"),
        ('<b x="y>', 'OTHER <b x="y>'),
        ('a<b x="y>c<i>d', 'TEXT a|OTHER <b x="y>|TEXT c|START <i>|TEXT d'),
        ('<img src="a.png" alt="x', 'OTHER <img src="a.png" alt="x'),
        ("<!-- <b> --><!doctype html><?x?>", "OTHER <!-- <b> -->|OTHER <!doctype html>|OTHER <?x?>"),
        ("a<!-- <b>", "TEXT a|OTHER <!-- <b>"),
        ("<SCRIPT>a<b></b></Script >c", "OTHER <SCRIPT>a<b></b></Script >|TEXT c"),
        ("<script>a<b>", "OTHER <script>a<b>"),
        ("<br/><my-tag/>", "START <br/>|START <my-tag/>"),
        ("</>", "TEXT </>"),
    ],
)
def test_tags_text_and_the_rest(document, tokens) -> None:
    assert [f"{kind} {text}" for kind, text in kinds(document)] == tokens.split("|")


@pytest.mark.parametrize(
    "part", ["<", "<a ", '<a x="', "<a x='y' ", "<!--", "<script>", "</b", "<a x=\"'", "<![CDATA["]
)
def test_no_document_takes_long(part) -> None:
    assert "".join(token.text for token in html_tokens(part * 30_000)) == part * 30_000


def test_attributes() -> None:
    tag = """<p CLASS="a b" translate=no x='1>2' y z = "3" class=c>"""
    assert attributes(tag) == {"class": "a b", "translate": "no", "x": "1>2", "y": "", "z": "3"}
    assert attributes("<b>") == {}


@pytest.mark.parametrize("document", ["<!-- a", "<style>p {", "<textarea>a", '<b x="y>', "<![CDATA[a"])
def test_what_is_not_closed_is_known(document) -> None:
    assert [token.is_closed for token in html_tokens(f"a{document}")] == [True, False]
