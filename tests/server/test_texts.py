"""From texts to lines and back."""

from __future__ import annotations

import random

import pytest

from nmt_lstm.server.texts import LONGEST_SENTENCE, html_plan, short_sentences, text_plan
from nmt_lstm.server.units import Translated
from nmt_lstm.text.sentences import SentenceSplitter

SPLIT = SentenceSplitter("en").split


def upper(plan) -> str:
    """Return a text with each of its units in capital letters as its translation."""
    return plan.written([Translated((unit.text.upper(),)) for unit in plan.units])


@pytest.mark.parametrize(
    ("text", "units", "written"),
    [
        ("one", ["one"], "ONE"),
        ("One. Two.", ["One.", "Two."], "ONE. TWO."),
        ("  one \n\n\ttwo\n", ["one", "two"], "  ONE \n\n\tTWO\n"),
        ("12:30\none\n😀 …", ["one"], "12:30\nONE\n😀 …"),
        ("\r\none\r\ntwo", ["one", "two"], "\r\nONE\r\nTWO"),
        ("", [], ""),
    ],
)
def test_lines_and_sentences(text, units, written) -> None:
    plan = text_plan(text, SPLIT, " ")
    assert [unit.text for unit in plan.units] == units
    assert upper(plan) == written


def test_sentences_that_are_too_long_are_divided_where_they_can_be() -> None:
    split = short_sentences(lambda line: [line])
    for text in ("word " * 500, "a,b" * 500, "長" * 1_500, "、".join(["長い" * 50] * 20), "short"):
        parts = split(text.strip())
        assert all(0 < len(part) <= LONGEST_SENTENCE for part in parts)
        assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    assert split("word " * 500)[0].endswith("word")


def test_only_the_first_sentence_has_the_prefix() -> None:
    plan = text_plan("One. Two.\nThree.", SPLIT, " ", prefix="Eins")
    assert [unit.prefix for unit in plan.units] == ["Eins", "", ""]


def test_what_has_no_translation_stays_and_ranks_fall_back_to_the_best() -> None:
    plan = text_plan("one\ntwo", SPLIT, " ")
    results = [Translated(()), Translated(("zwei", "beide"))]
    assert plan.written(results) == "one\nzwei"
    assert plan.written(results, 1) == "one\nbeide"
    assert plan.written(results, 2) == "one\nzwei"


def test_html_is_divided_into_blocks_that_stand_alone() -> None:
    plan = html_plan("<p>One <b>two</b>.</p><pre>three</pre>four<br>")
    assert [unit.text for unit in plan.units] == ["One <b>two</b>.", "four"]
    assert upper(plan) == "<p>ONE <B>TWO</B>.</p><pre>three</pre>FOUR<br>"


def test_any_html_can_be_divided_and_joined() -> None:
    tokens = [
        *(
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            '<i class="x">',
            "</i>",
            "<br>",
            "text here",
            "A &amp; B.",
            "<!-- c -->",
        ),
        *(
            "<script>if(a<b){}</script>",
            "<textarea>",
            "</textarea>",
            "<title>",
            "<pre>",
            "</pre>",
            "<code>",
            "</code>",
        ),
        *(
            "<span translate=no>",
            "</span>",
            "<div class=notranslate>",
            "</div>",
            " ",
            "\n",
            "<",
            "&",
            '<img src="a>b">',
        ),
    ]
    draw = random.Random(1)
    for _ in range(500):
        document = "".join(draw.choices(tokens, k=draw.randint(1, 14)))
        plan = html_plan(document)
        assert plan.written([Translated((unit.text,)) for unit in plan.units]) == document
