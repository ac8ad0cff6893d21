"""Tasks: lengths, losses and the share of the baseline that counts as solved."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.lab.probes.catalogue import TASKS
from nmt_lstm.lab.probes.task import SOLVED_SHARE, one_hot


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_short_lengths_are_rejected(task) -> None:
    assert task.length_problem(1) == f"must be at least {task.shortest}"
    assert task.length_problem(task.shortest) == ""


def test_odd_numbers_of_brackets_are_rejected() -> None:
    assert TASKS["dyck"].length_problem(7) == "must be a multiple of 2"


def test_a_length_is_solved_below_a_share_of_the_baseline() -> None:
    assert TASKS["parity"].solved_below(8) == pytest.approx(SOLVED_SHARE * math.log(2))


def test_the_loss_of_classes_is_the_cross_entropy_and_that_of_numbers_the_squared_error() -> None:
    logits = torch.tensor([[[0.0, 0.0], [0.0, math.log(3.0)]]])
    loss = TASKS["parity"].loss(logits, torch.tensor([[0, 1]]))
    assert float(loss) == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)
    loss = TASKS["adding"].loss(torch.tensor([[[1.0], [2.0]]]), torch.tensor([[0.0, 4.0]]))
    assert float(loss) == pytest.approx((1 + 4) / 2)


def test_classes_become_one_hot_vectors() -> None:
    assert one_hot(torch.tensor([[2, 0]]), 3).tolist() == [[[0, 0, 1], [1, 0, 0]]]
