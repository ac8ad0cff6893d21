"""Several processes make the same arrays as one, in order; their errors and deaths are reported."""

from __future__ import annotations

import os
import signal

import pytest

from nmt_lstm.config.schema import CleaningSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.text import encoding_processes, pair_encoding
from nmt_lstm.text.cleaning import PairSet
from nmt_lstm.text.encoding_processes import encoding, process_count
from nmt_lstm.text.pair_encoding import PairEncoder, chunks_of
from nmt_lstm.text.preparation import prepare


def test_a_process_is_worth_it_for_many_pairs(monkeypatch) -> None:
    assert process_count(10_000_000, 3) == 3
    assert process_count(120_000, 8) == 2
    assert process_count(0, 8) == process_count(99_999, 8) == process_count(10_000_000, 1) == 1
    monkeypatch.setattr(encoding_processes.os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4})
    monkeypatch.setattr(encoding_processes.sys, "platform", "linux")
    assert process_count(10_000_000) == 5


def test_two_processes_encode_in_order_and_their_death_is_an_error(corpus, monkeypatch) -> None:
    monkeypatch.setattr(pair_encoding, "CHUNK", 7)
    subwords = prepare(corpus.run()).subwords
    pairs = corpus.pairs()
    rules = CleaningSettings(max_pieces=40, drop_duplicates=True)
    excluded = PairSet([pairs[50]])
    for tag in ((), (4,)):
        encoder = PairEncoder(subwords, rules, excluded=excluded, tag=tag)
        with encoding(2) as two, encoding(1) as one:
            # The processes are used again for the next corpus.
            for text in (pairs, pairs[:30]):
                expected, results = (
                    list(each.encoded(encoder, chunks_of(iter(text), 5))) for each in (one, two)
                )
                assert [str(result) for result in results] == [str(each) for each in expected]
                assert len(results) == -(-len(text) // 7)

    def killed() -> None:
        with encoding(2) as processes:
            results = processes.encoded(encoder, chunks_of(iter(pairs)))
            next(results)
            for worker in processes._workers:
                os.kill(worker._process.pid, signal.SIGKILL)
            list(results)

    with pytest.raises(ResourceError, match="died.*exit status -9"):
        killed()


def test_chunks_are_limited_by_pairs_and_by_characters(monkeypatch) -> None:
    pairs = [("a" * 30, "b" * 20)] * 2_300
    monkeypatch.setattr(pair_encoding, "CHUNK", 1_200)
    chunks = list(chunks_of(iter(pairs), 100))
    assert [(chunk.first, len(chunk.pairs)) for chunk in chunks] == [(100, 1_200), (1_300, 1_100)]
    monkeypatch.setattr(pair_encoding, "CHUNK_CHARACTERS", 10_000)
    assert [len(chunk.pairs) for chunk in chunks_of(iter(pairs))] == [500, 500, 500, 500, 300]
    assert list(chunks_of(iter([]))) == []
