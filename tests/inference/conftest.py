"""Small networks with large random weights, and sentences for them."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.model.build import build_model

VOCABULARY = 61


@pytest.fixture
def make_model():
    """Return a function that builds a small network; its keyword arguments are settings."""

    def make(*, cell="lstm", attention="bilinear", encoder=None, decoder=None, seed=0, **settings):
        values = {
            "embedding_size": 12,
            "encoder": {"cell": cell, "hidden_size": 16, **(encoder or {})},
            "decoder": {"cell": cell, "hidden_size": 20, **(decoder or {})},
            "attention": {"name": attention, "options": {"heads": 4} if attention == "multi_head" else {}},
            **settings,
        }
        torch.manual_seed(seed)
        model = build_model(ModelSettings.model_validate(values), VOCABULARY, VOCABULARY).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.4)
        return model

    return make


@pytest.fixture
def sources():
    """A batch of sentences of different lengths."""
    generator = torch.Generator().manual_seed(5)
    lengths = [9, 7, 7, 5, 4, 3, 2, 1, 1, 6, 8]
    return source_batch([torch.randint(4, VOCABULARY, (n,), generator=generator).tolist() for n in lengths])


@pytest.fixture
def decode():
    """Return a function that takes five steps with two hypotheses per sentence, and returns all logits and attention."""

    @torch.no_grad()
    def decode(model, source):
        state = model.start(model.encode(source))
        sentences = len(source.lengths)
        rows = torch.arange(sentences).repeat_interleave(2)
        pieces = torch.zeros(sentences, dtype=torch.long) + 2
        logits, attention = [], []
        for step in range(5):
            result = model.step(pieces, state)
            logits.append(result.logits.float())
            attention.append(result.attention.float())
            order = rows if step == 0 else torch.arange(2 * sentences).view(-1, 2).flip(1).flatten()
            state = model.reorder(result.state, order, None)
            pieces = (torch.arange(len(order)) * 7 + step) % VOCABULARY
        return torch.cat(logits), torch.cat(attention)

    return decode
