"""Weights of other toolkits: shapes are checked, and none is ignored."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nmt_lstm.importing.errors import DamagedSourceError, UnsupportedModelError
from nmt_lstm.importing.source_weights import SourceWeights

PATH = Path("model.pt")


def weights() -> SourceWeights:
    tensors = {"one": torch.ones(2, 3, dtype=torch.float16), "two": torch.zeros(4), "other": torch.zeros(1)}
    return SourceWeights(tensors, path=PATH, toolkit="Toolkit")


def test_tensors_are_taken_in_float32() -> None:
    taken = weights().take("one", 2, 3)
    assert taken.dtype == torch.float32
    assert torch.equal(taken, torch.ones(2, 3))


@pytest.mark.parametrize(("name", "shape"), [("one", (3, 2)), ("one", (2, 3, 1)), ("missing", (2,))])
def test_a_missing_tensor_or_a_wrong_shape_is_an_error(name, shape) -> None:
    with pytest.raises(DamagedSourceError, match=name) as caught:
        weights().take(name, *shape)
    assert (caught.value.path, caught.value.key) == (PATH, name)


def test_sizes() -> None:
    assert weights().size("one", 1) == 3
    for name in ("two", "missing"):
        with pytest.raises(DamagedSourceError):
            weights().size(name, 1)


def test_tensors_that_are_left_are_reported() -> None:
    read = weights()
    read.take("one", 2, 3)
    with pytest.raises(UnsupportedModelError, match="other, two") as caught:
        read.check()
    assert caught.value.options[0].name == "weights"
    read.ignore("oth")
    read.take("two", 4)
    read.check()
