"""Words are found in pieces of every kind, and have the text of the translation."""

from __future__ import annotations

import pytest

from nmt_lstm.text.written_pieces import shown_piece, text_of_pieces, word_spans


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["▁ein", "▁h", "und", "."], ["ein", "hund."]),
        (["▁", "e", "i", "n", "▁", "h"], ["ein", "h"]),
        (["▁⇧", "▁ein", "▁⇪", "▁h", "und", "▁(", "⇧", "x"], ["Ein", "HUND", "(X"]),
        (["▁⇧", "▁", "e", "i", "▁", "h"], ["Ei", "h"]),
        (["▁ein", "▁(￭", "▁hund", "▁￭)", "▁￭.", "▁so"], ["ein", "(hund).", "so"]),
        (["▁x", "▁￭", "▁<b>", "▁y"], ["x<b>", "y"]),
        (["▁", "<0x68>", "<0xC3>", "<0xA4>", "▁", "<0x78>"], ["hä", "x"]),
        (["▁ein", "<0xE2>", "<0x96>", "<0x81>", "<0x68>"], ["ein", "h"]),
        ([], []),
    ],
)
def test_words_of_pieces(pieces, words) -> None:
    spans = word_spans(pieces)
    assert [text_of_pieces(pieces[start:end]) for start, end in spans] == words
    assert [index for span in spans for index in range(*span)] == list(range(len(pieces)))


def test_a_visible_byte_is_shown_as_its_character() -> None:
    assert [shown_piece(piece) for piece in ("<0x41>", "<0x20>", "<0xC3>", "▁ein")] == [
        "A",
        "<0x20>",
        "<0xC3>",
        "▁ein",
    ]
