"""Training and translation on a CUDA device, with the same commands as on the CPU."""

from __future__ import annotations

import pytest

from nmt_lstm.config.wirings import WIRINGS

pytestmark = pytest.mark.gpu
STEPS = {
    "training.epochs": "3",
    "training.max_steps": "40",
    "training.accelerator": "gpu",
    "training.devices": "1",
}


@pytest.fixture(scope="module", autouse=True)
def device() -> None:
    """Without a GPU these tests must fail, not pass."""
    import torch

    assert torch.cuda.is_available(), "no CUDA device was found"


@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_training_and_translation(
    command, train_arguments, parallel_files, tmp_path, precision, wiring, cell
) -> None:
    settings = {
        **STEPS,
        "training.precision": precision,
        "model.decoder.wiring": wiring,
        "model.encoder.cell": cell,
        "model.decoder.cell": cell,
    }
    command(*train_arguments(tmp_path / "model", settings))
    text = parallel_files.valid_source.read_bytes()
    for translation_precision in ("float32", precision):
        options = ("-m", tmp_path / "model", "--device", "cuda", "--precision", translation_precision)
        assert command("translate", *options, stdin=text).stdout.count(b"\n") == 40


def test_cpu_and_gpu_give_nearly_the_same_translations(
    command, train_arguments, parallel_files, tmp_path
) -> None:
    command(*train_arguments(tmp_path / "model", {**STEPS, "training.precision": "float32"}))
    text = parallel_files.valid_source.read_bytes()
    options = ("-m", tmp_path / "model", "--precision", "float32", "--beam-size", "1")
    on_cpu = command("translate", *options, "--device", "cpu", stdin=text).stdout.splitlines()
    on_gpu = command("translate", *options, "--device", "cuda", stdin=text).stdout.splitlines()
    # Rounding may decide between nearly equal scores.
    assert sum(cpu == gpu for cpu, gpu in zip(on_cpu, on_gpu, strict=True)) >= 36


def test_more_devices_than_available_are_an_error(command, train_arguments, tmp_path) -> None:
    import torch

    count = str(torch.cuda.device_count() + 1)
    settings = {**STEPS, "training.devices": count}
    finished = command(*train_arguments(tmp_path / "model", settings), status=1)
    assert count.encode() in finished.stderr
    assert b"Traceback" not in finished.stderr
