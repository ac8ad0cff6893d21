"""Refused allocations become advice."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.training.memory_limits import explain_out_of_memory

SETTINGS = TrainingSettings(batch_pieces=123_456, accumulate=2)


def test_a_real_refusal_says_what_to_lower() -> None:
    with (
        pytest.raises(
            ResourceError,
            match=r"not enough memory .*lower training.batch_pieces \(now 123456\), or raise training.accumulate \(now 2\)",
        ),
        explain_out_of_memory(SETTINGS),
    ):
        torch.empty(2**55, dtype=torch.uint8)


def test_the_size_and_the_place_are_told() -> None:
    with pytest.raises(ResourceError, match=r"the GPU.*2\.50 GiB"), explain_out_of_memory(SETTINGS):
        raise torch.OutOfMemoryError("Tried to allocate 2.50 GiB. GPU 0")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"), explain_out_of_memory(SETTINGS):
        raise RuntimeError("shapes do not fit")
