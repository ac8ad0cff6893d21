"""What a training runs on."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.training.devices import choose_devices


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


def test_auto_takes_all_gpus(one_gpu: None) -> None:
    devices = choose_devices(TrainingSettings())
    assert (devices.accelerator, devices.count, devices.world_size) == ("gpu", 1, 1)


def test_more_gpus_than_there_are(one_gpu: None) -> None:
    with pytest.raises(
        ResourceError, match=r"training.devices is 2, but this machine has 1 GPU; use 1 or fewer"
    ):
        choose_devices(TrainingSettings(devices=2))


def test_no_gpu_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ResourceError, match="PyTorch finds no CUDA device"):
        choose_devices(TrainingSettings(accelerator="gpu"))


def test_processes_of_a_cpu_and_nodes_multiply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    devices = choose_devices(TrainingSettings(accelerator="cpu", devices=3, nodes=2))
    assert devices.world_size == 6


def test_more_processes_than_processors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    assert choose_devices(TrainingSettings(accelerator="cpu", devices=2)).count == 2
    with pytest.raises(
        ResourceError, match=r"devices is 99, but this machine has 1 processor; use 2 or fewer"
    ):
        choose_devices(TrainingSettings(accelerator="cpu", devices=99))
