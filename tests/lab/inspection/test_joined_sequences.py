"""Sequences joined from sentences: their exact length, their last label, and where they start."""

from __future__ import annotations

from nmt_lstm.lab.inspection.joined_sequences import joined_batch, spread_starts
from nmt_lstm.text.special_pieces import BEGIN, END


def test_sequences_are_joined_sentences_of_exactly_the_length() -> None:
    sources, targets = [[11, 12, 13], [14, 15]], [[21], [22, 23]]
    batch = joined_batch(sources, targets, [0, 1], 5)
    assert batch.source.pieces.tolist() == [[11, 12, 13, 14, END], [14, 15, 11, 12, END]]
    assert batch.target_inputs.tolist() == [[BEGIN, 21, 22, 23, 21], [BEGIN, 22, 23, 21, 22]]
    # The label of the last position is the piece that follows, not an end.
    assert batch.target_outputs.tolist() == [[21, 22, 23, 21, 22], [22, 23, 21, 22, 23]]


def test_a_short_text_is_repeated() -> None:
    batch = joined_batch([[11]], [[21]], [0], 4)
    assert batch.source.pieces.tolist() == [[11, 11, 11, END]]
    assert batch.target_outputs.tolist() == [[21] * 4]


def test_sequences_start_evenly_spaced() -> None:
    assert spread_starts(3, 16) == [0, 1, 2]
    assert spread_starts(10, 4) == [0, 2, 5, 7]
