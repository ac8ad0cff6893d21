"""The main job on a CUDA device: the same commands, nothing changed."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.gpu
STEPS = {
    "training.epochs": "3",
    "training.max_steps": "40",
    "training.accelerator": "gpu",
    "training.devices": "1",
}


@pytest.fixture(scope="module", autouse=True)
def device() -> None:
    """A GPU must be there: `tox -e gpu` is no proof without one."""
    import torch

    assert torch.cuda.is_available(), "no CUDA device was found"


@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
@pytest.mark.parametrize("wiring", ["gnmt", "input_feeding", "conditional"])
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


def test_processor_and_device_translate_alike(command, train_arguments, parallel_files, tmp_path) -> None:
    command(*train_arguments(tmp_path / "model", {**STEPS, "training.precision": "float32"}))
    text = parallel_files.valid_source.read_bytes()
    options = ("-m", tmp_path / "model", "--precision", "float32", "--beam-size", "1")
    on_processor = command("translate", *options, "--device", "cpu", stdin=text).stdout.splitlines()
    on_device = command("translate", *options, "--device", "cuda", stdin=text).stdout.splitlines()
    # Rounding may turn a near tie, not more.
    assert sum(left == right for left, right in zip(on_processor, on_device, strict=True)) >= 36


def test_more_devices_than_there_are_is_refused(command, train_arguments, tmp_path) -> None:
    import torch

    wanted = str(torch.cuda.device_count() + 1)
    settings = {**STEPS, "training.devices": wanted}
    finished = command(*train_arguments(tmp_path / "model", settings), status=1)
    assert wanted.encode() in finished.stderr
    assert b"Traceback" not in finished.stderr
