"""Perplexity: what is counted, and values computed by hand."""

from __future__ import annotations

import math

import pytest

from nmt_lstm.evaluation.perplexity import TextLikelihood, perplexity_of


def test_ends_of_lines_count_as_a_piece_a_word_and_a_character():
    likelihood = TextLikelihood.of([("two  dogs ", math.log(0.5), 3), ("a", math.log(0.25), 1)])
    assert (likelihood.lines, likelihood.pieces, likelihood.words, likelihood.characters) == (2, 6, 5, 11)
    assert likelihood.piece_perplexity == pytest.approx(8 ** (1 / 6))
    assert likelihood.word_perplexity == pytest.approx(8 ** (1 / 5))
    assert likelihood.bits_per_character == pytest.approx(3 / 11)


def test_a_huge_perplexity_is_finite():
    assert math.isfinite(perplexity_of(-1e9, 1))
    assert perplexity_of(0.0, 0) == 1.0
