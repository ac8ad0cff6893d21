"""The base of ruby is text like any other; its readings vanish, and nothing else does."""

from __future__ import annotations

import pytest

from nmt_lstm.text.html_blocks import HtmlBlock, html_blocks
from nmt_lstm.text.kept_patterns import KeptPatterns


def blocks(document: str) -> list[HtmlBlock]:
    parts = list(html_blocks(document, KeptPatterns([])))
    assert "".join(part if isinstance(part, str) else part.raw for part in parts) == document
    return [part for part in parts if isinstance(part, HtmlBlock)]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>を読む", "漢字を読む"),
        ("<ruby>漢<rt>かん<rb>字<rt>じ</ruby>を読む", "漢字を読む"),
        ("<RUBY lang=ja><rb>漢</rb><rb>字</rb><rt>かん</rt><rt>じ</rt></RUBY>", "漢字"),
        ("<ruby>漢<rtc><rt>かん</rt>kan</rtc></ruby>字", "漢字"),
        ("<ruby><ruby>漢<rt>かん</rt></ruby>字<rt>kanji</rt></ruby>を", "漢字を"),
        ("a <ruby>b<rt><b>c</b> &amp; <img src=d></rt></ruby> e", "a b e"),
        ("a <ruby>b<rt translate=no>c</rt></ruby> d", "a b d"),
        ("a <ruby translate=no>b<rt>c</rt></ruby> d", "a d"),
        ("a <rt>b</rt> c", "a b c"),
    ],
)
def test_readings_are_left_out(document, text) -> None:
    (block,) = blocks(document)
    assert block.marked.text == text


def test_other_elements_and_comments_of_ruby_stay() -> None:
    (block,) = blocks("<a><ruby><b>漢</b><rt>かん<!-- c --></rt></ruby></a>字")
    (link,) = block.marked.marks
    assert (link.opening, [mark.opening for mark in link.marks]) == ("<a>", ["<b>", "<!-- c -->"])


def test_a_block_ends_a_reading() -> None:
    assert [block.marked.text for block in blocks("<ruby>a<rt>b<p>c</p>d</ruby>e")] == ["a", "c", "de"]


def test_ruby_without_an_end_tag_loses_nothing() -> None:
    assert [block.marked.text for block in blocks("a <ruby>b<rt>c d")] == ["a", "b", "c d"]


def test_ruby_without_a_base_stays_as_it_is() -> None:
    assert blocks("<p><ruby><rt>a</rt></ruby></p>") == []
