"""The analyses on the page: differing sentences, and the origin of word frequencies."""

from __future__ import annotations

import re

from nmt_lstm import Leaderboard
from nmt_lstm.lab.leaderboard.html import web_page

from .conftest import lines_of, write


def test_differing_sentences_are_side_by_side(board, texts, parse_page) -> None:
    text = parse_page(web_page(board, baseline="bad", sentences=2)).text
    assert text.count("Source, line") == 2
    line = int(re.search(r"Source, line (\d+)", text)[1])
    assert lines_of(texts.source)[line - 1] in text
    assert lines_of(texts.bad)[line - 1] in text
    assert "Source, line" not in web_page(board, sentences=0)


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


def test_a_single_system_is_compared_with_none(empty_board, texts, parse_page) -> None:
    empty_board.add("only", hypotheses=texts.good)
    text = parse_page(web_page(empty_board)).text
    assert "differ most" not in text
    assert "1 system on 1 test set." in text
