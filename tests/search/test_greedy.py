"""Greedy search chooses the likeliest piece at each step, as a beam search of size one does."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.beam_search import _BeamSearch, beam_search
from nmt_lstm.search.limits import Limits
from nmt_lstm.text.special_pieces import BEGIN, END, PAD, UNKNOWN

SENTENCES = [[4], [5], [4, 5], [5, 4, 4], [4, 4, 5, 5], [5, 5, 5], [4, 5, 4]]


def test_a_beam_of_one_is_greedy(table_model) -> None:
    model = table_model(pieces=30)
    for sentence, (hypothesis,) in zip(
        SENTENCES, beam_search(model, source_batch(SENTENCES), SearchSettings(beam_size=1)), strict=True
    ):
        prefix: tuple[int, ...] = (BEGIN,)
        while len(prefix) <= 2 * len(sentence) + 10:
            logits = model.logits((*sentence, END), prefix)
            logits[[PAD, UNKNOWN, BEGIN]] = -math.inf
            if logits.argmax() == END:
                break
            prefix = (*prefix, int(logits.argmax()))
        assert hypothesis.pieces == prefix[1:]


@pytest.mark.parametrize("levels", [0, 3])
@pytest.mark.parametrize("shortest", [0.0, 1.5])
@pytest.mark.parametrize("end", [-6.0, 1.0, 4.0])
def test_greedy_search_equals_a_beam_search_of_one(table_model, levels, shortest, end) -> None:
    settings = SearchSettings(beam_size=1, min_length_ratio=shortest, length_penalty="wu")
    model, source = table_model(pieces=9, levels=levels, end=end), source_batch((SENTENCES * 3)[:20])
    expected = _BeamSearch(
        model, source, settings, 1, limits=Limits(settings, source), required=None, keep_attention=True
    ).run()
    results = beam_search(model, source, settings)
    assert results == expected
    for (greedy,), (best,) in zip(results, expected, strict=True):
        assert torch.equal(greedy.attention, best.attention)


def test_greedy_search_does_not_rank_candidates(table_model, monkeypatch) -> None:
    monkeypatch.delattr("nmt_lstm.search.ranking.best_continuations")
    assert beam_search(table_model(), source_batch(SENTENCES), SearchSettings(beam_size=1))
