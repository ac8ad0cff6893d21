"""What of a document is translated, and what separates its sentences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.text.html_blocks import HtmlBlock, html_blocks
from nmt_lstm.text.kept_patterns import KeptPatterns

NOTHING = KeptPatterns([])


def texts(document: str, patterns=NOTHING) -> list[str]:
    return [part.marked.text for part in html_blocks(document, patterns) if isinstance(part, HtmlBlock)]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<p>A <b>dog</b>\n runs.</p>B", ["A dog runs.", "B"]),
        ("A<br>B<hr>C<li>D<td>E", ["A", "B", "C", "D", "E"]),
        ("x &amp; y&nbsp;&lt; z", ["x & y < z"]),
        ("<title>T</title><style>a</style><script>b</script><!-- c -->", ["T"]),
        ("<pre>a <b>b</b></pre>c<textarea>d</textarea>", ["c"]),
        ("Call <code>f(<i>x</i>)</code> now", ["Call now"]),
        ("<p translate=no>a</p><span class='x notranslate'>b</span> c", ["c"]),
        ("<p translate=no>a <b>b</b><p>c", ["c"]),
        ("a<pre>b\n<p>c", ["a"]),
        ("a<script>if (b<c) d", ["a"]),
        ("a<!-- b <p>c", ["a"]),
        ("<p>a<img src='b' alt='c", ["a"]),
        ("<p translate=yes title='translate=no'>a</p>", ["a"]),
        ("<p><code>a</p>", ["a"]),
        ("<a><div>a</div></a> b <b>c<br>d</b>", ["a", "b", "c", "d"]),
        (" <p> 1 </p> &mdash; <p> . </p>", ["1"]),
        ("a </b> b", ["a", "b"]),
        ("<x-y>a</x-y> b", ["a b"]),
    ],
)
def test_blocks_are_sentences(document, expected) -> None:
    assert texts(document) == expected


@pytest.mark.parametrize("document", ["<b>x " * 2000 + "</b>" * 2000, "<b>x</b> " * 2000])
def test_too_many_tags_separate_sentences(document) -> None:
    assert texts(document) == ["x"] * 2000


def test_a_block_knows_its_place_and_its_spaces() -> None:
    first, tag, second = html_blocks("\n a \n<p>b", NOTHING)
    assert (first.line, first.leading, first.trailing, first.raw) == (1, "\n ", " \n", "\n a \n")
    assert (tag, second.line) == ("<p>", 3)


@pytest.mark.parametrize(
    ("document", "line", "beginning"),
    [
        ("<p>a\n<script>\nb", 2, "<script>"),
        ("a\n\n<pre>b\n", 3, "<pre>b"),
        ("a <b>b</b>\n<!-- c", 2, "<!-- c"),
    ],
)
def test_what_is_not_closed_is_reported_with_its_line(document, line, beginning) -> None:
    found = []
    parts = list(html_blocks(document, NOTHING, unclosed=lambda *place: found.append(place)))
    assert found == [(line, beginning)]
    assert "".join(part if isinstance(part, str) else part.raw for part in parts) == document


def test_elements_whose_end_tag_may_be_left_out_are_not_reported() -> None:
    found = []
    list(html_blocks("<p>a<p translate=no>b<li>c", NOTHING, unclosed=lambda *place: found.append(place)))
    assert found == []


def test_what_is_kept_is_a_mark() -> None:
    (block,) = html_blocks("a {b&lt;} c", KeptPatterns(["placeholders"]))
    assert block.marked.text == "a c"
    assert [mark.opening for mark in block.marked.marks] == ["{b&lt;}"]


def tags_of(marks) -> list[str]:
    return [tag for mark in marks for tag in (mark.opening, *tags_of(mark.marks), mark.closing) if tag]


@given(
    st.lists(
        st.sampled_from(["<b>", "</b>", "<i>", "</i>", "<p>", "</p>", "<br>", "<img>", "<code>", "</code>", "x", " y ", "<!-- -->", "<"])
    ).map("".join)
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_no_tag_is_lost(document) -> None:
    found = []
    for part in html_blocks(document, NOTHING):
        found.append(part if isinstance(part, str) else "".join(tags_of(part.marked.marks)))
    for tag in (
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<p>",
        "</p>",
        "<br>",
        "<img>",
        "<code>",
        "</code>",
        "<!-- -->",
    ):
        assert "".join(found).count(tag) == document.count(tag)
