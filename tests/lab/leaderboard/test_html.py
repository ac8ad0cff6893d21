"""The page: every row and every analysis, self-contained, and no markup from names or sentences."""

from __future__ import annotations

import re

import pytest

from nmt_lstm import Leaderboard
from nmt_lstm.lab.leaderboard.html import web_page

from .conftest import lines_of, write

ATTACK = "<script>alert(1)</script>"


@pytest.fixture
def hostile_board(board, texts):
    """A board whose names, sentences and facts are markup."""
    lines = lines_of(texts.reference)
    board.add(
        ATTACK,
        hypotheses=[ATTACK, *lines[1:]],
        facts={"note": ATTACK, "toolkit": "<b>", "parameters": 1_234_567, "sentences_per_second": 99.5},
    )
    return board


def test_the_page_is_complete(hostile_board, parse_page) -> None:
    page = web_page(hostile_board, baseline="good")
    reader = parse_page(page)
    assert reader.tags.count("h1") == 1
    assert reader.tags.count("circle") == 4
    for row in hostile_board.current():
        assert row.system in reader.text
        assert f"{row.scores['bleu'].value:.2f}" in reader.text
        assert row.scores["bleu"].signature in reader.text
        assert row.hypotheses in reader.text
    for heading in (
        "By source length",
        "By word frequency",
        "Repetitions and copies",
        "Where two systems differ most",
        "About the systems",
    ):
        assert reader.text.count(heading) == 1
    assert "1,234,567" in reader.text
    assert "Unknowntoolkit, parameters, target pieces trained on, training time" in reader.text
    assert "vs good" in reader.text


def test_names_sentences_and_facts_are_escaped(hostile_board, parse_page) -> None:
    page = web_page(hostile_board)
    assert page.count("<script>") == 1
    assert "alert" not in page.partition("<script>")[2]
    assert parse_page(page).text.count(ATTACK) >= 6
    assert "<b>" not in page


def test_the_page_loads_nothing(hostile_board) -> None:
    page = web_page(hostile_board)
    assert not re.search(r'(?:src|href)="(?!#)|url\(|@import|https?://', page)


def test_the_page_is_reproducible(board) -> None:
    assert web_page(board) == web_page(Leaderboard(board.folder))


def test_separate_rankings_have_a_section_with_the_reason(board, texts) -> None:
    write(texts.reference, [f"{line} Indeed." for line in lines_of(texts.reference)])
    again = Leaderboard(board.folder)
    again.add("late", hypotheses=texts.bad)
    page = web_page(again)
    assert '<a href="#ranking-2">numbers, de-en, separate</a>' in page
    assert "these rows have references" in page


def test_an_empty_board_has_a_page(empty_board, parse_page) -> None:
    assert "The board has no rows yet." in web_page(empty_board)
    parse_page(web_page(empty_board))
