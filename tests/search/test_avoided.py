"""Phrases are avoided in their case, and in letters that are spelled in bytes."""

from __future__ import annotations

import pytest

from nmt_lstm.search.avoided import AvoidedPhrases, PieceTexts

TEXTS = [
    "",
    "",
    "",
    "",
    " a",
    " ⇧",
    "⇧",
    " hund",
    "e",
    " ",
    "l",
    "\udcc3",
    "\udca4",
    "\udc9f",
    ".",
    "⇪",
    " ⇪",
]

# All that ends a word. The bytes could only continue a character that is not begun.
ENDS = {" a", " hund", " ", ".", " ⇧", "⇧", "⇪", " ⇪", "\udca4", "END"} | {"\udc9f"}


def banned(phrase: str, written: list[str], markers: tuple[str, ...] = ("⇧", "⇪")) -> set[str]:
    """The pieces that must not follow those written."""
    phrases = AvoidedPhrases([[phrase]], PieceTexts(TEXTS, markers))
    tail = " " + PieceTexts(TEXTS).text_of([TEXTS.index(text) for text in written])
    return {TEXTS[piece] or "END" for piece in phrases._completions(tail, phrase)}


@pytest.mark.parametrize(
    ("phrase", "written", "forbidden"),
    [
        ("hund", [" a", " hund"], ENDS),
        ("hund", [" ⇧", " hund"], set()),
        ("⇧ hund", [" ⇧", " hund"], ENDS),
        ("⇧ hund", [" a", " hund"], set()),
        ("⇧ hund", [" ⇪", " hund"], set()),
        ("hund.", [" hund"], {"."}),
        ("hund.", [" ⇧", " hund"], set()),
        ("lä.", [" ", "l", "\udcc3", "\udca4"], {"."}),
        # The next byte may begin a letter.
        (
            "lä",
            [" ", "l", "\udcc3", "\udca4"],
            ENDS,
        ),
        ("lä", [" ", "l", "\udcc3", "\udc9f"], set()),
    ],
)
def test_pieces_that_complete_a_phrase_are_forbidden(phrase, written, forbidden) -> None:
    assert banned(phrase, written) == forbidden


def test_without_markers_their_characters_are_ordinary_text() -> None:
    assert "END" in banned("hund", [" ⇧", " hund"], markers=())


def test_bytes_may_continue_a_word() -> None:
    continues = PieceTexts(TEXTS).continues_word
    assert [text for text, is_letter in zip(TEXTS, continues, strict=True) if is_letter] == [
        "e",
        "l",
        "\udcc3",
    ]
