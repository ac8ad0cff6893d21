"""The random numbers of a step depend only on its position."""

from __future__ import annotations

import torch

from nmt_lstm.training.randomness import seed_step, step_seed


def test_each_position_has_its_own_seed() -> None:
    positions = [
        {"seed": seed, "epoch": epoch, "micro_batch": batch, "rank": rank}
        for seed in range(3)
        for epoch in range(3)
        for batch in range(3)
        for rank in range(3)
    ]
    assert len({step_seed(**position) for position in positions}) == len(positions)


def test_a_position_draws_the_same_numbers_whatever_was_drawn_before() -> None:
    drawn = []
    for count in (0, 7):
        torch.rand(count)
        seed_step(torch.device("cpu"), seed=1, epoch=2, micro_batch=3, rank=0)
        drawn.append(torch.rand(5))
    assert torch.equal(*drawn)
