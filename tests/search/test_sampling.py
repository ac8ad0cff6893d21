"""Sampling from models that are tables."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.constraints import BatchConstraints, PieceConstraints
from nmt_lstm.text.special_pieces import END

SENTENCE = (4, 5, 4, END)


def draw(model, sentences=((4, 5, 4),), numbers=None, samples=1, **settings):
    numbers = numbers or range(1, len(sentences) + 1)
    return beam_search(
        model,
        source_batch([list(each) for each in sentences]),
        SearchSettings(method="sampling", **settings),
        n_best=samples,
        constraints=BatchConstraints(
            [PieceConstraints(number=number) for number in numbers], PieceTexts([""] * model.size)
        ),
    )


def probabilities(model, temperature=1.0, allowed=lambda logits: range(END, 6)):
    """The probability of each string of at most one piece."""

    def of_next(prefix):
        logits = model.logits(SENTENCE, (2, *prefix)) / temperature
        weights = {piece: math.exp(float(logits[piece])) for piece in allowed(logits)}
        total = sum(weights.values())
        return {piece: weight / total for piece, weight in weights.items()}

    first = of_next(())
    one_piece = {
        (piece,): share * of_next((piece,)).get(END, 0.0) for piece, share in first.items() if piece != END
    }
    return {(): first.get(END, 0.0), **one_piece}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_strings_are_drawn_as_often_as_the_model_says(table_model, temperature) -> None:
    model = table_model(seed=1, end=1.5)
    (samples,) = draw(model, samples=800, temperature=temperature)
    counts = Counter(sample.pieces for sample in samples)
    for string, probability in probabilities(model, temperature).items():
        deviation = math.sqrt(800 * probability * (1 - probability))
        assert abs(counts[string] - 800 * probability) < 4 * deviation + 1


def two_likeliest(logits):
    return sorted(range(END, 6), key=lambda piece: -logits[piece])[:2]


def test_top_k_draws_among_the_likeliest(table_model) -> None:
    model = table_model(seed=1, end=1.5)
    (samples,) = draw(model, samples=600, top_k=2)
    counts = Counter(sample.pieces for sample in samples)
    for string, probability in probabilities(model, allowed=two_likeliest).items():
        deviation = math.sqrt(600 * probability * (1 - probability))
        assert abs(counts[string] - 600 * probability) < 4 * deviation + 1


def test_top_p_leaves_out_the_unlikely(table_model) -> None:
    model = table_model(6, seed=1, end=1.5)
    (samples,) = draw(model, samples=100, top_p=0.6)
    for sample in samples:
        string = (2, *sample.pieces, END)
        for position in range(1, len(string) if len(sample.pieces) < 16 else len(string) - 1):
            logits = model.logits(SENTENCE, string[:position])[END:]
            likelier = [
                value
                for value in logits.softmax(0).tolist()
                if value > float(logits.softmax(0)[string[position] - END])
            ]
            assert sum(likelier) < 0.6


@pytest.mark.parametrize("settings", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 0.01}])
def test_without_chance_it_is_greedy_search(table_model, settings) -> None:
    model = table_model(4, seed=5, end=0.5)
    greedy = beam_search(model, source_batch([[4, 5, 4]]), SearchSettings(beam_size=1))
    (samples,) = draw(model, samples=3, **settings)
    assert {sample.pieces for sample in samples} == {greedy[0][0].pieces}


def test_a_line_has_the_same_samples_alone_and_in_company(table_model) -> None:
    model = table_model(4, seed=1)
    sentences = [(4,), (5, 4), (4, 5, 6), (6, 6, 6, 6), (5,)]
    together = draw(model, sentences, samples=3)
    for number, sentence in enumerate(sentences, start=1):
        assert draw(model, [sentence], [number], samples=3) == [together[number - 1]]


def test_seed_line_and_sample_make_the_difference(table_model) -> None:
    model = table_model(4, seed=1, end=-1.0)
    (first,) = draw(model, samples=4)
    assert draw(model, samples=4) == [first]
    assert len({sample.pieces for sample in first}) > 1
    assert draw(model, samples=4, seed=2) != [first]
    assert draw(model, numbers=[2], samples=4) != [first]


def test_samples_come_with_their_probabilities_and_attention(table_model) -> None:
    model = table_model(4, seed=1, end=-1.0)
    (samples,) = draw(model, samples=5, temperature=2.0)
    assert [sample.score for sample in samples] == sorted((sample.score for sample in samples), reverse=True)
    for sample in samples:
        expected = sum(model.piece_log_probabilities(SENTENCE, sample.pieces))
        assert sample.log_probability == pytest.approx(expected, abs=1e-4)
        for position in range(len(sample.pieces)):
            weights = model.attention(SENTENCE, (2, *sample.pieces[:position]), 4)
            assert sample.attention[position].tolist() == pytest.approx(weights.tolist())


def test_lengths_keep_their_limits(table_model) -> None:
    (samples,) = draw(table_model(4, seed=1), samples=200, min_length_ratio=1.0, max_length_ratio=1.0)
    lengths = [len(sample.pieces) for sample in samples]
    assert min(lengths) >= 3
    assert max(lengths) <= 13
