"""The limit stops a tensor before its memory is allocated, and changes nothing below it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.numerics.allocation_limit import AllocationLimit, LimitExceededError


@pytest.mark.parametrize(
    "create",
    [
        lambda: torch.empty(10**6, 10**6),
        lambda: torch.randn((10**6, 10**6)),
        lambda: torch.zeros(size=(10**6, 10**6)),
        lambda: torch.full((10**6, 10**6), 1.0),
        lambda: nn.Linear(10**6, 10**6),
        lambda: nn.Embedding(10**6, 10**6),
        lambda: nn.LSTM(10, 10**6),
        lambda: [torch.ones(600) for _ in range(2)],
    ],
)
def test_a_tensor_above_the_limit_is_never_allocated(create):
    with pytest.raises(LimitExceededError) as caught, AllocationLimit(1000):
        create()
    assert caught.value.numbers > 1000


def test_values_below_the_limit_are_those_without_it():
    torch.manual_seed(1)
    expected = nn.LSTM(3, 4)
    torch.manual_seed(1)
    with AllocationLimit(1000):
        layer = nn.LSTM(3, 4)
        created = torch.ones((2, 3)), torch.tensor([1.0]), torch.full((2,), 3.0)
    assert all(
        torch.equal(one, other) for one, other in zip(layer.parameters(), expected.parameters(), strict=True)
    )
    assert created[0].shape == (2, 3)
