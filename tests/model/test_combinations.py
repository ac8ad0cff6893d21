"""Tests over every combination of installed cells, attentions and wirings, of installed encoders, and of unusual ones."""

from __future__ import annotations

import copy
import functools
import itertools
from typing import Any

import pytest
import torch

from nmt_lstm.batching.batch import collate, source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.forced import forced_log_probabilities


def installed_names(registry: Any) -> list[str]:
    return [entry.name for entry in registry.entries() if entry.distribution]


COMBINATIONS = [
    *itertools.product(
        [*installed_names(CELLS), "leaky_average"],
        [*installed_names(ATTENTIONS), "coverage"],
        WIRINGS,
        ["recurrent"],
    ),
    *itertools.product(
        ["gru"],
        ["bilinear", "multi_head"],
        WIRINGS,
        [*(name for name in installed_names(ENCODERS) if name != "recurrent"), "mixing"],
    ),
]
every_combination = pytest.mark.parametrize("combination", COMBINATIONS, ids="-".join)


@pytest.fixture(scope="module")
def model_of(make_model: Any) -> Any:
    """Return a function that gives the small network of a combination, built once."""

    @functools.cache
    def model(combination: tuple[str, str, str, str]) -> Seq2Seq:
        cell, attention, wiring, encoder = combination
        if encoder != "recurrent":
            return make_model(
                cell=cell,
                attention=attention,
                wiring=wiring,
                dtype=torch.float32,
                encoder={"name": encoder},
                decoder={"layers": 2},
                embedding_size=16,
            )
        return make_model(
            cell=cell,
            attention=attention,
            wiring=wiring,
            dtype=torch.float32,
            # Either way a source state is 32 wide: "multi_head" has 8 heads.
            encoder={"hidden_size": 13 if cell == "leaky_average" else 16},
            decoder={"layers": 2},
        )

    return model


def test_the_stock_cells_and_attentions_are_installed() -> None:
    assert {"lstm", "gru", "rnn"} <= set(installed_names(CELLS))
    assert {"dot", "bilinear", "additive", "multi_head", "none"} <= set(installed_names(ATTENTIONS))


@every_combination
def test_training_and_search_compute_the_same(model_of, batch, walk, combination) -> None:
    model = model_of(combination)
    decoded = model(batch)
    steps = walk(model, batch)
    logits = decoded.outputs @ model.output_weight.T + model.output_bias
    torch.testing.assert_close(logits, torch.stack([step.logits for step in steps], 1), rtol=1e-4, atol=1e-4)
    attention = torch.stack([step.attention for step in steps], 1)
    torch.testing.assert_close(decoded.attention, attention, rtol=1e-4, atol=1e-4)


@every_combination
def test_gradients_reach_every_parameter(model_of, batch, combination) -> None:
    model = model_of(combination)
    model.zero_grad(set_to_none=True)
    model.loss(batch, 0.1).total.backward()
    unreached = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.any() or not torch.isfinite(parameter.grad).all()
    ]
    assert not unreached


@every_combination
@torch.no_grad()
def test_a_sentence_has_the_same_scores_in_any_batch(model_of, sentences, combination) -> None:
    model = model_of(combination)
    sources, targets = sentences(5, 1, 7, seed=4), sentences(5, 1, 6, seed=5)
    together = forced_log_probabilities(model, source_batch(sources, pad_to=8), targets)
    for source, target, scores in zip(sources, targets, together, strict=True):
        (alone,) = forced_log_probabilities(model, source_batch([source], pad_to=8), [target])
        assert scores == alone, "not the same bits"
        (unpadded,) = forced_log_probabilities(model, source_batch([source]), [target])
        assert unpadded == pytest.approx(alone, abs=1e-4)


@every_combination
def test_beam_search_gives_the_same_hypotheses_in_any_batch(model_of, sentences, combination) -> None:
    model = model_of(combination)
    sources = sentences(4, 1, 5, seed=6)
    settings = SearchSettings(beam_size=3, max_length_ratio=1.0)
    together = beam_search(model, source_batch(sources, pad_to=8), settings, n_best=3)
    for source, hypotheses in zip(sources, together, strict=True):
        assert len({hypothesis.pieces for hypothesis in hypotheses}) == 3
        (alone,) = beam_search(model, source_batch([source], pad_to=8), settings, n_best=3)
        assert hypotheses == alone, "not the same bits"
        scores = forced_log_probabilities(
            model, source_batch([source] * 3, pad_to=8), [hypothesis.pieces for hypothesis in hypotheses]
        )
        assert [hypothesis.log_probability for hypothesis in hypotheses] == pytest.approx(
            [sum(pieces) for pieces in scores], abs=1e-3
        )


@every_combination
@torch.no_grad()
def test_the_state_dict_determines_the_model(model_of, batch, combination) -> None:
    model = model_of(combination)
    other = copy.deepcopy(model)
    for parameter in other.parameters():
        parameter.zero_()
    assert not torch.equal(other.loss(batch).total, model.loss(batch).total)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.loss(batch).total, model.loss(batch).total)
    assert other.output_weight is other.target_embedding.weight is other.encoder.embedding.weight


def test_no_two_combinations_are_the_same_network(model_of) -> None:
    """If an option were ignored, the tests above would prove little."""
    batch = collate([[5, 6, 7], [8, 9]], [[10, 11], [12, 13, 14]])
    losses = [
        float(model_of(combination).loss(batch).negative_log_likelihood) for combination in COMBINATIONS
    ]
    assert len(set(losses)) == len(losses)
