"""The network of classification."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt_lstm.batching.batch import collate, source_batch
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.model.build import build_classifier
from nmt_lstm.model.classifier import Classifier
from nmt_lstm.text.labels import FIRST_LABEL

TARGET_SIZE = FIRST_LABEL + 257 + 3


def make(cell: str = "lstm") -> Classifier:
    torch.manual_seed(1)
    settings = ModelSettings.model_validate(
        {
            "embedding_size": 8,
            "dropout": 0.0,
            "tied_embeddings": "none",
            "encoder": {"cell": cell, "hidden_size": 6, "layers": 2},
        }
    )
    return build_classifier(settings, 20, TARGET_SIZE)


def batch():
    sources = [[5, 6, 7], [8], [9, 10, 11, 12, 13]]
    targets = [[FIRST_LABEL], [FIRST_LABEL + 2], [FIRST_LABEL + 1]]
    return collate(sources, targets, indices=np.arange(3), loss_divisor=6.0)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_scores_are_those_of_the_labels_and_independent_of_padding(cell: str) -> None:
    model = make(cell).eval()
    with torch.no_grad():
        together = model(batch().source)
        alone = model(source_batch([[8]]))
    assert together.shape == (3, 3)
    torch.testing.assert_close(together[1:2], alone)


def test_the_loss_is_that_of_the_texts() -> None:
    model = make().eval()
    labels = torch.tensor([0, 2, 1])
    expected = torch.nn.functional.cross_entropy(model(batch().source), labels, reduction="sum")
    loss = model.loss(batch())
    torch.testing.assert_close(loss.negative_log_likelihood / batch().target_pieces, expected.detach() / 3)
    smoothed = model.loss(batch(), label_smoothing=0.1)
    assert float(smoothed.total) != pytest.approx(float(loss.total))
    loss.total.backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_the_first_scores_follow_the_frequencies_of_labels() -> None:
    counts = torch.zeros(TARGET_SIZE, dtype=torch.int64)
    counts[FIRST_LABEL : FIRST_LABEL + 3] = torch.tensor([90, 9, 0])
    settings = ModelSettings.model_validate({"tied_embeddings": "none", "encoder": {"hidden_size": 4}})
    bias = build_classifier(settings, 20, TARGET_SIZE, target_counts=counts).output_bias
    assert bias[FIRST_LABEL] > bias[FIRST_LABEL + 1] > bias[FIRST_LABEL + 2]
