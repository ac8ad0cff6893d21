"""The page: every row and every analysis, self-contained, and no markup from names or sentences."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from nmt_lstm import Leaderboard
from nmt_lstm.lab.leaderboard.html import web_page

from .conftest import lines_of, write

ATTACK = "<script>alert(1)</script>"
VOID = {"meta", "br", "hr"}


class Reader(HTMLParser):
    """Collects elements and text, and checks that every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        assert not any(name.startswith("on") or name == "style" for name, _ in attributes)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data


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


def test_the_page_is_complete(hostile_board) -> None:
    page = web_page(hostile_board, baseline="good")
    reader = Reader(page)
    assert reader.open == []
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


def test_names_sentences_and_facts_are_escaped(hostile_board) -> None:
    page = web_page(hostile_board)
    assert page.count("<script>") == 1
    assert "alert" not in page.partition("<script>")[2]
    assert Reader(page).text.count(ATTACK) >= 6
    assert "<b>" not in page


def test_the_page_loads_nothing(hostile_board) -> None:
    page = web_page(hostile_board)
    assert not re.search(r'(?:src|href)="(?!#)|url\(|@import|https?://', page)


def test_the_page_is_reproducible(board) -> None:
    assert web_page(board) == web_page(Leaderboard(board.folder))


def test_differing_sentences_are_side_by_side(board, texts) -> None:
    text = Reader(web_page(board, baseline="bad", sentences=2)).text
    assert text.count("Source, line") == 2
    line = int(re.search(r"Source, line (\d+)", text)[1])
    assert lines_of(texts.source)[line - 1] in text
    assert lines_of(texts.bad)[line - 1] in text
    assert "Source, line" not in web_page(board, sentences=0)


def test_separate_rankings_have_a_section_with_the_reason(board, texts) -> None:
    write(texts.reference, [f"{line} Indeed." for line in lines_of(texts.reference)])
    again = Leaderboard(board.folder)
    again.add("late", hypotheses=texts.bad)
    page = web_page(again)
    assert '<a href="#ranking-2">numbers, de-en, separate</a>' in page
    assert "these rows have references" in page


def test_word_frequencies_come_from_the_training_text_if_available(board, texts, caplog) -> None:
    assert "occur in the references" in web_page(board)
    path = board.folder / "board.toml"
    write(texts.folder / "train.en", ["One two three."] * 7)
    path.write_text(path.read_text() + 'train_target = "../texts/train.en"\n')
    page = web_page(Leaderboard(board.folder))
    assert "occur in the training text" in page
    assert "data-falling>0</button>" in page  # words that the training text lacks
    # Counts are cached until the text changes.
    assert len(list((board.folder / "statistics").glob("*.json"))) == 1
    assert web_page(Leaderboard(board.folder)) == page
    write(texts.folder / "train.en", [*lines_of(texts.reference), "more"])
    assert "data-falling>0</button>" not in web_page(Leaderboard(board.folder))
    (texts.folder / "train.en").unlink()
    assert "occur in the references" in web_page(Leaderboard(board.folder))
    assert "word frequencies are counted in the test set: '" in caplog.text


def test_an_empty_board_has_a_page(empty_board) -> None:
    assert "The board has no rows yet." in web_page(empty_board)
    Reader(web_page(empty_board))


def test_a_single_system_is_compared_with_none(empty_board, texts) -> None:
    empty_board.add("only", hypotheses=texts.good)
    text = Reader(web_page(empty_board)).text
    assert "differ most" not in text
    assert "1 system on 1 test set." in text
