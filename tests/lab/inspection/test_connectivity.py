"""Gradients against differences."""

from __future__ import annotations

import torch

from nmt_lstm.batching.batch import collate
from nmt_lstm.lab.inspection.connectivity import connectivity

SOURCE, TARGET = [5, 6, 7], [8, 9]
STEP = 1e-5


def log_probabilities(model, batch, side: str, at: int, unit: int, change: float) -> torch.Tensor:
    """(T, V), where one number of one embedding is changed."""

    def changed(_module, _inputs, output):
        output = output.clone()
        output[0, at, unit] += change
        return output

    module = model.encoder.embedding if side == "source" else model.target_embedding
    handle = module.register_forward_hook(changed)
    try:
        with torch.no_grad():
            outputs = model(batch).outputs[0]
            return (outputs @ model.output_weight.T + model.output_bias).log_softmax(-1)
    finally:
        handle.remove()


def test_norms_are_those_of_finite_differences(network) -> None:
    batch = collate([SOURCE], [TARGET])
    found = connectivity(network, batch)
    labels, width = batch.target_outputs[0], network.target_embedding.weight.shape[1]
    for side, plain, contrast in (
        ("source", found.source, found.contrast_source),
        ("target", found.target, found.contrast_target),
    ):
        for at in range(plain.shape[1]):
            slopes = torch.stack(
                [
                    (
                        log_probabilities(network, batch, side, at, unit, STEP)
                        - log_probabilities(network, batch, side, at, unit, -STEP)
                    )
                    / (2 * STEP)
                    for unit in range(width)
                ]
            )
            for position, (label, rival) in enumerate(zip(labels, found.rivals, strict=True)):
                own, other = slopes[:, position, label], slopes[:, position, rival]
                torch.testing.assert_close(plain[position, at], own.norm(), rtol=1e-4, atol=1e-6)
                torch.testing.assert_close(contrast[position, at], (own - other).norm(), rtol=1e-4, atol=1e-6)


def test_nothing_depends_on_what_comes_later(network) -> None:
    found = connectivity(network, collate([SOURCE], [TARGET]))
    assert torch.equal(found.target.triu(1), torch.zeros_like(found.target))
    assert (found.target.diagonal() > 0).all()


def test_the_rival_is_the_best_of_the_others(network) -> None:
    batch = collate([SOURCE], [TARGET])
    found = connectivity(network, batch)
    assert (found.rivals != batch.target_outputs[0]).all()
    for row, (label, rival) in enumerate(zip(batch.target_outputs[0], found.rivals, strict=True)):
        others = [piece for piece in found.alternatives[row].tolist() if piece != label]
        assert others[0] == rival
