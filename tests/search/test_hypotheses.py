"""Hypotheses are read from back-pointers, with the attention of the rows that predicted their pieces."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt_lstm.search.hypotheses import Finished, History


@pytest.fixture
def history() -> History:
    """Two steps of two sentences: one hypothesis each, then two; the first sentence's change places."""
    history = History()
    history.add(
        np.array([0, 1]), np.array([[0, 0], [0, 0]]), np.array([[4, 5], [6, 7]]), torch.tensor([[[1.0]], [[2.0]]])
    )  # fmt: skip
    history.add(
        np.array([1, 0]), np.array([[0, 1], [1, 0]]), np.array([[8, 9], [10, 11]]),
        torch.tensor([[[3.0], [4.0]], [[5.0], [6.0]]]),
    )  # fmt: skip
    return history


@pytest.mark.parametrize(
    ("sentence", "beam", "pieces", "attention"),
    [
        (0, 0, (5, 10), [1.0, 6.0]),
        (0, 1, (4, 11), [1.0, 5.0]),
        (1, 0, (6, 8), [2.0, 3.0]),
        (1, 1, (7, 9), [2.0, 4.0]),
    ],
)
def test_pieces_and_attention_follow_the_back_pointers(history, sentence, beam, pieces, attention) -> None:
    hypothesis = history.read(sentence, Finished(-0.5, -1.5, 2, beam))
    assert hypothesis.pieces == pieces
    assert hypothesis.attention.tolist() == [[weight] for weight in attention]
    assert (hypothesis.score, hypothesis.log_probability) == (-0.5, -1.5)


def test_a_hypothesis_without_pieces_has_attention_without_rows(history) -> None:
    hypothesis = history.read(0, Finished(-1.0, -1.0, 0, 0))
    assert hypothesis.pieces == ()
    assert hypothesis.attention.shape == (0, 1)


def test_attention_can_be_left_out() -> None:
    history = History()
    history.add(np.array([0]), np.array([[0]]), np.array([[4]]), None)
    assert history.read(0, Finished(-1.0, -1.0, 1, 0)).attention is None
