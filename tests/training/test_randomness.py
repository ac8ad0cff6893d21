"""The randomness of a step depends on its place alone."""

from __future__ import annotations

import torch

from nmt_lstm.training.randomness import seed_step, step_seed


def test_each_place_has_a_seed_of_its_own() -> None:
    places = [
        {"seed": seed, "epoch": epoch, "micro_batch": batch, "rank": rank}
        for seed in range(3)
        for epoch in range(3)
        for batch in range(3)
        for rank in range(3)
    ]
    assert len({step_seed(**place) for place in places}) == len(places)


def test_a_place_draws_the_same_whatever_was_drawn_before() -> None:
    drawn = []
    for before in (0, 7):
        torch.rand(before)
        seed_step(torch.device("cpu"), seed=1, epoch=2, micro_batch=3, rank=0)
        drawn.append(torch.rand(5))
    assert torch.equal(*drawn)
