"""Shallow fusion of models that are tables: the search finds the best weighted sum of two log-probabilities."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.constraints import BatchConstraints, PieceConstraints
from nmt_lstm.search.ensemble import Ensemble
from nmt_lstm.search.fusion import Fusion
from nmt_lstm.text.special_pieces import END

SENTENCES = [[4], [5], [4, 5], [5, 4, 4], [4, 4, 5, 5], [5, 5, 5], [4, 5, 4]]


@pytest.fixture
def text_model(table_model):
    """The class of models that do not look at the source."""

    class TextModel(table_model):
        def logits(self, sentence, prefix):
            return super().logits((), prefix)

    return TextModel


def weighted(model, language_model, sentence, pieces, weight) -> float:
    return sum(model.piece_log_probabilities((*sentence, END), pieces)) + weight * sum(
        language_model.piece_log_probabilities((), pieces)
    )


@pytest.mark.parametrize("weight", [0.2, 1.5])
def test_a_wide_beam_finds_the_best_weighted_sum(table_model, text_model, weight) -> None:
    model, language_model = table_model(seed=1, end=3.0), text_model(seed=2, end=1.0)
    settings = SearchSettings(beam_size=400, max_length_ratio=1e-9, language_model_weight=weight)
    results = beam_search(
        model, source_batch(SENTENCES[:3]), settings, n_best=3, language_model=language_model
    )
    for sentence, hypotheses in zip(SENTENCES, results, strict=False):
        expected = sorted(
            (
                (weighted(model, language_model, sentence, pieces, weight) / (len(pieces) + 1), pieces)
                for pieces in model.every_string((*sentence, END), 8)
            ),
            reverse=True,
        )[:3]
        assert [each.pieces for each in hypotheses] == [pieces for _, pieces in expected]
        assert [each.score for each in hypotheses] == pytest.approx(
            [score for score, _ in expected], abs=1e-5
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"beam_size": 1},
        {"beam_size": 4},
        {"beam_size": 4, "beam_groups": 2},
        {"method": "sampling", "top_k": 5},
        {"repetition_penalty": 1.3, "no_repeat_ngram": 2},
        {"coverage_penalty": 0.3},
    ],
)
def test_a_sentence_is_translated_the_same_in_any_batch(table_model, text_model, settings) -> None:
    model = Ensemble([table_model(pieces=6, seed=seed, end=1.0) for seed in (1, 2)])
    language_model = text_model(pieces=6, seed=3, end=1.0)
    vocabulary = PieceTexts([""] * 10)
    search = SearchSettings(**settings)

    def translate(numbers):
        return beam_search(
            model,
            source_batch([SENTENCES[number] for number in numbers]),
            search,
            n_best=1,
            language_model=language_model,
            constraints=BatchConstraints([PieceConstraints(number) for number in numbers], vocabulary),
        )

    together = translate(range(len(SENTENCES)))
    assert together == [translate([number])[0] for number in range(len(SENTENCES))]
    for sentence, (best,) in zip(SENTENCES, together, strict=True):
        if "repetition_penalty" not in settings:
            expected = sum(
                math.log(sum(math.exp(value) for value in values) / 2)
                for values in zip(
                    *(one.piece_log_probabilities((*sentence, END), best.pieces) for one in model.models),
                    strict=True,
                )
            ) + 0.2 * sum(language_model.piece_log_probabilities((), best.pieces))
            assert best.log_probability == pytest.approx(expected, abs=1e-4)


def test_without_weight_nothing_changes(table_model, text_model) -> None:
    model, source = table_model(pieces=6), source_batch(SENTENCES)
    plain = beam_search(model, source, SearchSettings())
    settings = SearchSettings(language_model_weight=0.0)
    assert beam_search(model, source, settings, language_model=text_model(pieces=6, seed=3)) == plain


def test_constraints_are_met(table_model, text_model) -> None:
    model, language_model = table_model(pieces=5, seed=3, end=0.5), text_model(pieces=5, seed=4)
    lines = [PieceConstraints(prefix=(6, 7)), PieceConstraints(required=((4, 8),)), PieceConstraints()]
    results = beam_search(
        model,
        source_batch(SENTENCES[:3]),
        SearchSettings(beam_size=4),
        constraints=BatchConstraints(lines, PieceTexts(["", "", "", "", " a", " b", "a", "b", "."])),
        language_model=language_model,
    )
    ((prefixed,), (required,), (plain,)) = results
    assert prefixed.pieces[:2] == (6, 7)
    assert "4, 8" in str(required.pieces)
    for sentence, best in zip(SENTENCES, (prefixed, required, plain), strict=False):
        assert best.log_probability == pytest.approx(
            weighted(model, language_model, sentence, best.pieces, 0.2), abs=1e-4
        )


def test_samples_are_drawn_from_the_product(table_model, text_model) -> None:
    model, language_model = table_model(seed=1, end=1.5), text_model(seed=2, end=0.5)
    settings = SearchSettings(method="sampling", language_model_weight=1.0)
    (samples,) = beam_search(
        model, source_batch([[4, 5, 4]]), settings, n_best=800, language_model=language_model
    )
    logits = model.logits((4, 5, 4, END), (2,)) + language_model.logits((), (2,))
    weights = logits[END:].softmax(0)
    counts = Counter(sample.pieces[:1] for sample in samples)
    for piece, probability in enumerate(weights.tolist(), start=END):
        deviation = math.sqrt(800 * probability * (1 - probability))
        assert abs(counts[() if piece == END else (piece,)] - 800 * probability) < 4 * deviation + 1


def test_a_shortlist_takes_its_pieces_of_the_language_model(table_model, text_model) -> None:
    shortlist = torch.tensor([0, 1, 2, 3, 5, 7])

    class Shortlisted(table_model):
        def step(self, previous, state):
            step = super().step(previous, state)
            return step._replace(logits=step.logits[:, shortlist], pieces=shortlist)

    model, language_model = Shortlisted(pieces=5, end=1.0), text_model(pieces=5, seed=2)
    (best,) = beam_search(model, source_batch([[4, 5]]), SearchSettings(), language_model=language_model)[0]
    assert set(best.pieces) <= {5, 7}
    key, string = (4, 5, END), (2, *best.pieces, END)
    expected = sum(
        float(model.logits(key, string[:length])[shortlist].log_softmax(0)[shortlist == string[length]])
        for length in range(1, len(string))
    ) + 0.2 * sum(language_model.piece_log_probabilities((), best.pieces))
    assert best.log_probability == pytest.approx(expected, abs=1e-4)


def test_different_vocabularies_are_refused(table_model, text_model) -> None:
    fusion = Fusion(table_model(pieces=3), text_model(pieces=4), weight=0.5)
    with pytest.raises(ConfigurationError, match="target pieces") as error_info:
        fusion.step(torch.tensor([2]), fusion.start(fusion.encode(source_batch([[4]]))))
    assert error_info.value.key == "language_model"
