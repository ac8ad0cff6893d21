"""Forced decoding gives the log-probabilities of given translations."""

from __future__ import annotations

import pytest

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import DataError
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.forced import forced_log_probabilities
from nmt_lstm.text.special_pieces import END

SENTENCES = [[4], [5, 4], [4, 4, 5], [5]]


def test_each_piece_and_the_end_get_their_log_probability(table_model) -> None:
    model = table_model(pieces=5)
    targets = [[], [4, 8, 4, 4], [5], [6, 6]]
    scores = forced_log_probabilities(model, source_batch(SENTENCES), targets)
    for sentence, target, values in zip(SENTENCES, targets, scores, strict=True):
        assert len(values) == len(target) + 1
        assert values == pytest.approx(model.piece_log_probabilities((*sentence, END), tuple(target)))
    assert model.row_counts == [4, 3, 2, 1, 1]  # finished sentences are not computed


def test_hypotheses_get_the_probabilities_of_the_search_that_found_them(table_model) -> None:
    model, batch = table_model(pieces=5), source_batch(SENTENCES)
    best = [hypotheses[0] for hypotheses in beam_search(model, batch, SearchSettings())]
    scores = forced_log_probabilities(model, batch, [hypothesis.pieces for hypothesis in best])
    assert [sum(values) for values in scores] == pytest.approx(
        [one.log_probability for one in best], rel=1e-5
    )


def test_different_numbers_of_sources_and_targets_are_rejected(table_model) -> None:
    with pytest.raises(DataError, match="4 .* 1 targets"):
        forced_log_probabilities(table_model(), source_batch(SENTENCES), [[4]])
