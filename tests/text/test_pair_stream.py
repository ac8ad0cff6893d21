"""Pairs from a stream: their pieces, tags and cleaning, invalid lines, and memory that does not grow."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest

from nmt_lstm.config.schema import CleaningSettings, SubwordSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text.cleaning import PairCleaner
from nmt_lstm.text.pair_stream import PairStream, open_stream
from nmt_lstm.text.subwords import train_subwords
from nmt_lstm.text.tags import with_tags

PAIRS = [("ein Hund", "a dog"), ("zwei Katzen", "two cats")] * 10


@pytest.fixture(scope="module")
def subwords():
    settings = with_tags(SubwordSettings(vocabulary_size=290), ("<2de>", "<2fr>"))
    return train_subwords(lambda: PAIRS, settings, len(PAIRS), 1)


@pytest.fixture
def stream_of(subwords):
    """A function that returns a stream of lines."""

    def make(lines, **options):
        cleaner = PairCleaner(CleaningSettings())
        return PairStream(
            (f"{line}\n".encode() for line in lines), subwords=subwords, cleaner=cleaner, **options
        )

    return make


def decoded(subwords, pools):
    return [
        [(subwords.source.decode(pair.source), subwords.target.decode(pair.target)) for pair in pool]
        for pool in pools
    ]


def test_pools_have_the_kept_pairs_of_so_many_lines(stream_of, subwords, caplog) -> None:
    lines = ["ein Hund\ta dog", "zwei Katzen\ttwo cats\t0-0 1-1", "kein Tab", "\ttwo", "ein\ta"]
    stream = stream_of(lines)
    assert decoded(subwords, stream.pools(2)) == [
        [("ein Hund", "a dog"), ("zwei Katzen", "two cats")],
        [("ein", "a")],
    ]
    assert (stream.lines, stream.invalid, stream.cleaner.report.left_out["empty"]) == (5, 1, 1)
    assert "line 3 of the stream has 1 column" in caplog.text


@pytest.mark.parametrize("alignment", ["", " ", "0-0", "0-0 1-2 ", "10-11"])
def test_a_third_column_is_a_word_alignment(stream_of, alignment) -> None:
    stream = stream_of([f"ein Hund\ta dog\t{alignment}"])
    assert [len(pool) for pool in stream.pools(2)] == [1]


def test_a_tab_inside_a_sentence_does_not_shift_the_sides(stream_of, caplog) -> None:
    stream = stream_of(["ein\tHund\ta dog", "ein Hund\ta dog"])
    assert [len(pool) for pool in stream.pools(2)] == [1]
    assert "line 1 of the stream has a third column" in caplog.text


def test_a_line_may_begin_with_a_tag(stream_of, subwords) -> None:
    lines = ["<2de> a dog\tein Hund", "<2fr> a dog\tun chien", "<2de>\tx", "a <2de> dog\tx"]
    ((first, second, third, fourth),) = stream_of(lines, tags=["<2de>"]).pools(10)
    tag = subwords.source.symbol_piece("<2de>")
    assert first.source == [tag, *subwords.source.encode("a dog")]
    # Others are symbols within the text.
    for pair, text in ((second, "<2fr> a dog"), (third, "<2de>"), (fourth, "a <2de> dog")):
        assert pair.source == subwords.source.encode(text)


def test_samplers_get_a_seed_for_each_line(stream_of) -> None:
    seeds = []

    def sampler(text, seed):
        seeds.append(seed)
        return [5] * len(text.split())

    stream = stream_of(["ein Hund\ta dog"] * 5, samplers=(sampler, sampler), seed=3)
    assert [len(pool) for pool in stream.pools(2)] == [2, 2, 1]
    assert len(set(seeds)) == 10


@pytest.mark.parametrize("invalid", [10, 11])
def test_a_stream_is_given_up_if_too_many_lines_are_no_pairs(stream_of, invalid) -> None:
    lines = ["ein Hund\ta dog"] * (100 - invalid) + ["kein Tab"] * invalid
    stream = stream_of(lines)
    if invalid == 10:
        assert sum(len(pool) for pool in stream.pools(50)) == 90
    else:
        with pytest.raises(DataError, match="11 of the first 100 lines") as caught:
            list(stream.pools(50))
        assert caught.value.line == 100


@pytest.mark.parametrize("lines", [[], ["\tx"] * 3])
def test_a_stream_without_pairs_is_refused(stream_of, lines) -> None:
    with pytest.raises(DataError, match="without a pair"):
        list(stream_of(lines).pools(2))


def test_invalid_text_is_named_by_its_line(subwords) -> None:
    stream = PairStream(
        iter([b"a\tb\n", b"\xff\tb\n"]), subwords=subwords, cleaner=PairCleaner(CleaningSettings())
    )
    with pytest.raises(DataError, match="the stream' is not UTF-8 at line 2"):
        list(stream.pools(1))


def test_memory_does_not_grow_with_the_stream(stream_of) -> None:
    def peak(count):
        tracemalloc.start()
        try:
            for _ in stream_of(itertools.repeat("ein Hund\ta dog", count)).pools(100):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)
    assert peak(4_000) < 1.2 * peak(400)


def test_a_stream_that_cannot_be_opened_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match="none"):
        open_stream(str(tmp_path / "none"))
