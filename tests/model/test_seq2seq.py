"""The whole network: loss, steps of search and parameter counts."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from nmt_lstm.batching.batch import collate
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.search.forced import forced_log_probabilities


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_a_batchs_loss_is_the_sum_of_its_sentences(make_model, sentences, wiring, smoothing) -> None:
    model = make_model(wiring=wiring)
    sources, targets = sentences(5, 0, 7, seed=1), sentences(5, 0, 6, seed=2)
    together = model.loss(collate(sources, targets), smoothing)
    alone = [
        model.loss(collate([source], [target]), smoothing)
        for source, target in zip(sources, targets, strict=True)
    ]
    torch.testing.assert_close(together.total, sum(loss.total for loss in alone))
    torch.testing.assert_close(
        together.negative_log_likelihood, sum(loss.negative_log_likelihood for loss in alone)
    )
    assert together.pieces == sum(loss.pieces for loss in alone) == sum(len(target) + 1 for target in targets)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_a_batchs_gradient_is_the_sum_of_its_sentences(make_model, sentences, wiring) -> None:
    model = make_model(wiring=wiring)
    sources, targets = sentences(3, 0, 7, seed=1), sentences(3, 0, 6, seed=2)
    model.loss(collate(sources, targets), 0.1).total.backward()
    together = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    for source, target in zip(sources, targets, strict=True):
        model.loss(collate([source], [target]), 0.1).total.backward()
    torch.testing.assert_close(together, [parameter.grad for parameter in model.parameters()])


def test_the_loss_is_cross_entropy_over_the_real_labels(make_model, batch) -> None:
    model = make_model()
    logits = functional.linear(model(batch).outputs, model.output_weight, model.output_bias)
    padding = torch.arange(batch.target_outputs.shape[1]) >= batch.target_lengths[:, None]
    expected = functional.cross_entropy(
        logits.flatten(0, 1),
        batch.target_outputs.masked_fill(padding, -100).flatten(),
        reduction="sum",
        label_smoothing=0.1,
    )
    torch.testing.assert_close(model.loss(batch, 0.1).total, expected)


@torch.no_grad()
def test_the_loss_equals_forced_scoring(make_model, sentences) -> None:
    model = make_model(dtype=torch.float32)
    sources, targets = sentences(4, 1, 7, seed=1), sentences(4, 1, 6, seed=2)
    batch = collate(sources, targets)
    log_probabilities = forced_log_probabilities(model, batch.source, targets)
    assert -sum(map(sum, log_probabilities)) == pytest.approx(
        float(model.loss(batch).negative_log_likelihood), rel=1e-5
    )


def test_a_masked_batch_has_neither_loss_nor_gradients(make_model, sentences) -> None:
    model = make_model()
    loss = model.loss(collate(sentences(2), sentences(2), masked=True), 0.1)
    loss.total.backward()
    assert (float(loss.total.detach()), loss.pieces) == (0.0, 0)
    assert not any(parameter.grad is None or parameter.grad.any() for parameter in model.parameters())


def test_a_step_scores_the_next_piece(make_model, batch, walk) -> None:
    model = make_model()
    (step, *_) = walk(model, batch)
    first = model(batch).outputs[:, 0]
    torch.testing.assert_close(step.logits, first @ model.output_weight.T + model.output_bias)


@pytest.mark.parametrize("tied", ["none", "target", "all"])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_parameter_counts_add_up(make_model, wiring, tied) -> None:
    model = make_model(wiring=wiring, tied_embeddings=tied)
    counts = model.parameter_counts()
    assert set(counts) == {"embeddings", "encoder", "decoder", "output"}
    assert sum(counts.values()) == sum(parameter.numel() for parameter in model.parameters())
    assert counts["embeddings"] == 23 * 6 * (1 if tied == "all" else 2)
    assert counts["output"] == 23 + (23 * 6 if tied == "none" else 0)
    assert counts["encoder"] == sum(parameter.numel() for parameter in model.encoder.layers.parameters())


@pytest.mark.needs_bf16
@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "leaky_average"])
def test_bf16_is_near_float32(make_model, batch, wiring, cell) -> None:
    model = make_model(wiring=wiring, cell=cell, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.3)

    def loss_and_gradient() -> tuple[float, torch.Tensor]:
        model.zero_grad()
        loss = model.loss(batch, 0.1).total
        loss.backward()
        return float(loss.detach()), torch.cat([parameter.grad.flatten() for parameter in model.parameters()])

    exact, exact_gradient = loss_and_gradient()
    with torch.autocast("cpu", torch.bfloat16):
        rounded, rounded_gradient = loss_and_gradient()
    assert rounded == pytest.approx(exact, rel=5e-3)
    assert rounded_gradient.dtype == torch.float32
    assert float((rounded_gradient - exact_gradient).norm() / exact_gradient.norm()) < 0.05


def test_dropout_acts_in_training_only(make_model, batch) -> None:
    model = make_model(dropout=0.3, word_dropout=0.1)
    assert torch.equal(model.loss(batch).total, model.loss(batch).total)
    model.train()
    assert not torch.equal(model.loss(batch).total, model.loss(batch).total)
    losses = []
    for _ in range(2):
        torch.manual_seed(5)
        losses.append(model.loss(batch).total)
    assert torch.equal(*losses)
