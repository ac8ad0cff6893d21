"""Device names: known ones are resolved, unknown ones and missing devices are rejected."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.numerics.device import check_device_name, choose_device


@pytest.mark.parametrize("count", [0, 2])
def test_auto_is_a_gpu_if_there_is_one(monkeypatch, count) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert choose_device("auto").type == ("cuda" if count else "cpu")


def test_a_gpu_is_chosen_by_its_number(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ResourceError, match="'cuda:2'.* 2 CUDA GPUs"):
        choose_device("cuda:2")


def test_a_gpu_is_rejected_where_there_is_none(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ResourceError, match="'cuda'.* 0 CUDA GPUs"):
        choose_device("cuda")


@pytest.mark.parametrize("name", ["gpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", ""])
def test_unknown_names_are_rejected(name) -> None:
    with pytest.raises(ConfigurationError, match="unknown device") as error_info:
        check_device_name(name)
    assert (error_info.value.key, error_info.value.value) == ("device", name)
