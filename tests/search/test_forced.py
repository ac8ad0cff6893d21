"""Log-probabilities of given translations."""

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
    found = forced_log_probabilities(model, source_batch(SENTENCES), targets)
    for sentence, target, values in zip(SENTENCES, targets, found, strict=True):
        assert len(values) == len(target) + 1
        assert values == pytest.approx(model.piece_log_probabilities((*sentence, END), tuple(target)))
    assert model.rows_seen == [4, 3, 2, 1, 1]  # what is finished is not computed


def test_what_was_found_is_given_the_probability_it_was_found_with(table_model) -> None:
    model, batch = table_model(pieces=5), source_batch(SENTENCES)
    best = [hypotheses[0] for hypotheses in beam_search(model, batch, SearchSettings())]
    found = forced_log_probabilities(model, batch, [hypothesis.pieces for hypothesis in best])
    assert [sum(values) for values in found] == pytest.approx([one.log_probability for one in best], rel=1e-5)


def test_different_numbers_are_refused(table_model) -> None:
    with pytest.raises(DataError, match="4 source sentences but 1 targets"):
        forced_log_probabilities(table_model(), source_batch(SENTENCES), [[4]])
