"""What a run trains on, and how running out of memory is explained."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.training.devices import choose_devices, explain_out_of_memory


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


def test_auto_uses_all_gpus(one_gpu: None) -> None:
    devices = choose_devices(TrainingSettings())
    assert (devices.accelerator, devices.count, devices.world_size) == ("gpu", 1, 1)


def test_more_gpus_than_the_machine_has_are_an_error(one_gpu: None) -> None:
    with pytest.raises(ResourceError, match="devices is 2, .* 1 GPU; use 1"):
        choose_devices(TrainingSettings(devices=2))


def test_a_gpu_on_a_machine_without_one_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ResourceError, match="no CUDA device"):
        choose_devices(TrainingSettings(accelerator="gpu"))


def test_the_world_size_is_processes_times_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    devices = choose_devices(TrainingSettings(accelerator="cpu", devices=3, nodes=2))
    assert devices.world_size == 6


def test_two_processes_are_always_allowed_but_not_more_than_processors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    assert choose_devices(TrainingSettings(accelerator="cpu", devices=2)).count == 2
    with pytest.raises(ResourceError, match="devices is 99, .* 1 processor; use 2"):
        choose_devices(TrainingSettings(accelerator="cpu", devices=99))


LARGE_BATCHES = TrainingSettings(batch_pieces=123_456, accumulate=2)


def test_a_refused_allocation_is_explained_with_the_settings_to_lower() -> None:
    with (
        pytest.raises(ResourceError, match=r"batch_pieces \(now 123456\).*accumulate \(now 2\)"),
        explain_out_of_memory(LARGE_BATCHES),
    ):
        torch.empty(2**55, dtype=torch.uint8)


def test_running_out_of_memory_is_explained_with_device_and_size() -> None:
    with (
        pytest.raises(ResourceError, match=r"the GPU.*2\.50 GiB"),
        explain_out_of_memory(LARGE_BATCHES),
    ):
        raise torch.OutOfMemoryError("Tried to allocate 2.50 GiB. GPU 0")


def test_other_errors_are_raised_unchanged() -> None:
    with pytest.raises(RuntimeError, match="shapes"), explain_out_of_memory(LARGE_BATCHES):
        raise RuntimeError("shapes do not fit")
