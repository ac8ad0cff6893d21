"""Batches of sentences hold similar lengths, keep the order of results, and are halved if memory runs out."""

from __future__ import annotations

import logging

import pytest
import torch

from nmt_lstm.errors import ResourceError
from nmt_lstm.search.sentence_batches import LENGTH_STEP, SentenceBatches

CPU = torch.device("cpu")


def test_every_sentence_is_in_one_batch_and_lengths_in_a_batch_round_up_to_the_same_number() -> None:
    sentences = [[5] * (length % 29) for length in range(100)]
    batches = list(SentenceBatches(sentences, batch_size=7).indices())
    assert sorted(index for batch in batches for index in batch) == list(range(100))
    assert max(map(len, batches)) == 7
    for batch in batches:
        assert len({-(-(len(sentences[index]) + 1) // LENGTH_STEP) for index in batch}) == 1


def test_longest_sentences_come_first_and_equal_lengths_keep_their_order() -> None:
    sentences = [[5], [5] * 40, [6], [5] * 20, [7]]
    assert list(SentenceBatches(sentences, batch_size=9).indices()) == [[1], [3], [0, 2, 4]]


def test_batches_of_long_sentences_are_smaller() -> None:
    batches = SentenceBatches([[4] * 500] * 20 + [[4] * 5] * 20, batch_size=64)
    assert [len(indices) for indices in batches.indices()] == [8, 8, 4, 20]


def test_results_have_the_order_of_the_sentences() -> None:
    sentences = [[5] * length for length in (3, 30, 1, 12, 30, 0)]

    def search(source, indices):
        assert source.pieces.shape[1] % LENGTH_STEP == 0
        assert [len(sentences[index]) for index in indices] == (source.lengths - 1).tolist()
        return indices

    assert SentenceBatches(sentences, batch_size=2).run(search, device=CPU) == list(range(6))


def test_a_batch_that_does_not_fit_into_memory_is_halved(caplog) -> None:
    sizes = []

    def search(source, indices):
        sizes.append(len(indices))
        if len(indices) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return indices

    with caplog.at_level(logging.WARNING):
        results = SentenceBatches([[5]] * 7, batch_size=7).run(search, device=CPU)
    assert results == list(range(7))
    assert sizes == [7, 3, 1, 2, 4, 2, 2]
    assert "--batch-size" in caplog.text


def test_a_single_sentence_that_does_not_fit_into_memory_is_an_error() -> None:
    def search(source, indices):
        raise MemoryError

    with pytest.raises(ResourceError, match="single sentence of 3 pieces"):
        SentenceBatches([[5, 6, 7]], batch_size=4).run(search, device=CPU)


def test_other_errors_are_passed_on() -> None:
    def search(source, indices):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        SentenceBatches([[5]] * 4, batch_size=4).run(search, device=CPU)
