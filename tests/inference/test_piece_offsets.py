"""Where pieces stand in a text, and where something may be inserted."""

from __future__ import annotations

import pytest

from nmt_lstm.inference.piece_offsets import SolidText, piece_solids


@pytest.mark.parametrize(
    ("pieces", "text", "solids"),
    [
        (["▁A", "▁do", "g", "."], "A dog.", [0, 1, 3, 4, 5]),
        (["▁", "<0xC3>", "<0xA9>", "a"], "éa", [0, 0, 1, 1, 2]),
        (["▁彼", "は"], "彼は", [0, 1, 2]),
        ([], "", [0]),
        # The text of the pieces differs, but not the number of words.
        (["▁a", "▁", "b", "c"], "A BCD", [0, 1, 1, 1, 4]),
        (["▁a", "▁b"], "A", None),
    ],
)
def test_pieces_are_counted_without_spaces(pieces, text, solids) -> None:
    assert piece_solids(pieces, text) == solids


@pytest.mark.parametrize(
    ("text", "boundaries"),
    [
        ("A dog.", [0, 1, 4, 5]),
        ("a-b 1,000.5 x", [0, 3, 10, 11]),
        ("don't stop, now", [0, 5, 9, 10, 13]),
        ("彼はe\u0301", [0, 1, 2, 4]),
        ("行きますか。", [0, 5, 6]),
        ("他明天来", [0, 1, 2, 3, 4]),
        ('say "x"', [0, 3, 4, 5, 6]),
    ],
)
def test_nothing_is_inserted_into_a_word(text, boundaries) -> None:
    solid = SolidText(text)
    assert [position for position in range(len(solid) + 1) if solid.is_boundary(position)] == boundaries


def test_parts_and_spaces_of_a_text() -> None:
    text = SolidText(" a b.")
    assert (len(text), text.part(0, 2), text.part(1, 3), text.part(1, 1)) == (3, "a b", "b.", "")
    assert [text.space(position) for position in range(4)] == ["", " ", "", ""]
