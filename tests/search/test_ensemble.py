"""Ensembles use the mean of probabilities, and reject models with different vocabularies."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.ensemble import Ensemble
from nmt_lstm.text.special_pieces import BEGIN, END

SENTENCES = [[4], [5, 4], [4, 4, 5]]


def test_the_probability_is_the_mean_of_the_models(table_model) -> None:
    models = [table_model(seed=seed, end=2.0) for seed in range(3)]
    for sentence, hypotheses in zip(
        SENTENCES,
        beam_search(Ensemble(models), source_batch(SENTENCES), SearchSettings(), n_best=3),
        strict=True,
    ):
        for hypothesis in hypotheses:
            string = (BEGIN, *hypothesis.pieces, END)
            expected = 0.0
            for length in range(1, len(string)):
                each = [
                    model.logits((*sentence, END), string[:length]).softmax(0)[string[length]]
                    for model in models
                ]
                expected += math.log(sum(map(float, each)) / 3)
            assert hypothesis.log_probability == pytest.approx(expected, rel=1e-5)


def test_attention_is_the_mean(table_model) -> None:
    models = [table_model(seed=seed) for seed in range(2)]
    batch = source_batch([[4, 5]])
    ensemble = Ensemble(models)
    step = ensemble.step(torch.tensor([BEGIN]), ensemble.start(ensemble.encode(batch)))
    each = [model.attention((4, 5, END), (BEGIN,), batch.pieces.shape[1]) for model in models]
    assert torch.allclose(step.attention[0], (each[0] + each[1]) / 2)


def test_an_ensemble_of_one_translates_like_its_model(table_model) -> None:
    model, batch = table_model(pieces=5), source_batch(SENTENCES)
    alone = beam_search(model, batch, SearchSettings())
    assert [one[0].pieces for one in beam_search(Ensemble([model]), batch, SearchSettings())] == [
        one[0].pieces for one in alone
    ]


def test_models_with_different_vocabularies_are_rejected(table_model) -> None:
    ensemble = Ensemble([table_model(pieces=2), table_model(pieces=3)])
    with pytest.raises(ConfigurationError, match=r"\[6, 7\] pieces"):
        beam_search(ensemble, source_batch(SENTENCES), SearchSettings())


def test_an_ensemble_without_models_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="at least one model"):
        Ensemble([])
