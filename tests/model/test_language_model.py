"""The language model: sequence and steps agree, nothing depends on the source, reordering, tied weights."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import collate, source_batch
from nmt_lstm.model.build import build_language_model
from nmt_lstm.text.special_pieces import BEGIN

PIECES = 23
TEXTS = [[5, 6, 7, 8], [9], [10, 11]]


@pytest.fixture
def make(settings_of):
    def build(**named):
        torch.manual_seed(0)
        model = build_language_model(settings_of(**named), PIECES, PIECES).double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.5)
        return model.eval()

    return build


def loss_of_steps(model, texts):
    """The loss of texts, computed by steps as search does."""
    total = 0.0
    for text in texts:
        state = model.start(model.encode(source_batch([[]])))
        previous = BEGIN
        for piece in [*text, 3]:
            step = model.step(torch.tensor([previous]), state)
            total -= float(step.logits.detach().log_softmax(1)[0, piece])
            state, previous = step.state, piece
    return total


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"cell": "gru", "decoder": {"layers": 2}},
        {"cell": "rnn", "decoder": {"layers": 3, "residual": True}, "tied_embeddings": "none"},
        {"cell": "leaky_average", "decoder": {"layers": 2}},
    ],
)
def test_the_whole_text_and_single_steps_agree(make, named):
    model = make(**named)
    loss = model.loss(collate([[]] * len(TEXTS), TEXTS))
    assert float(loss.negative_log_likelihood) == pytest.approx(loss_of_steps(model, TEXTS), rel=1e-9)
    assert loss.pieces == sum(len(text) + 1 for text in TEXTS)


def test_the_source_does_not_matter_but_for_the_rows(make):
    model = make()
    logits = []
    for source in ([[]] * 2, [[4, 5, 6], [7]]):
        batch = source_batch(source)
        step = model.step(torch.tensor([BEGIN, BEGIN]), model.start(model.encode(batch)))
        assert step.attention.shape == batch.is_token.shape
        logits.append(step.logits)
    assert torch.equal(*logits)


def test_rows_can_be_reordered(make):
    model = make(decoder={"layers": 2})
    state = model.start(model.encode(source_batch([[], []])))
    state = model.step(torch.tensor([5, 6]), state).state
    swapped = model.reorder(state, torch.tensor([1, 0, 1]), None)
    logits = model.step(torch.tensor([7, 7]), state).logits
    assert torch.allclose(model.step(torch.tensor([7, 7, 7]), swapped).logits, logits[[1, 0, 1]])


def test_weights_are_tied_and_start_at_the_frequencies(settings_of):
    counts = torch.arange(PIECES)
    model = build_language_model(settings_of(), PIECES, PIECES, target_counts=counts)
    assert model.output_weight is model.target_embedding.weight
    assert torch.equal(model.output_bias.argsort(), counts.argsort())
    apart = build_language_model(settings_of(tied_embeddings="none"), PIECES, PIECES)
    assert apart.output_weight is not apart.target_embedding.weight
