"""A run that was killed or interrupted and then resumed ends like one without interruption, bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from nmt_lstm.config.load import dump_toml
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.fit_callback import FitCallback
from nmt_lstm.training.interruption import TrainingInterrupted
from nmt_lstm.training.validation import Validation

QUIET = Console(quiet=True)
# Everything that has state: a moving average, plateau, patience, several validations in an epoch, dropout.
STATEFUL = (
    "training.ema=0.9",
    "training.schedule.name=plateau",
    "training.schedule.patience=0",
    "training.patience=50",
    "training.epochs=3",
    "training.validate_every=5",
    "training.checkpoint_every=2",
    "training.average=last",
    "training.accumulate=2",
)


class Killed(BaseException):
    """Ends a run like a kill: nothing is saved."""


def last_checkpoint(output: Path) -> dict[str, Any]:
    return read_checkpoint(output / "checkpoints" / "last.ckpt")


def assert_same(one: Any, other: Any, path: str = "") -> None:
    """Compare nested values; tensors to the last bit. Clocks may differ."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), path
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            if key not in ("clock", "logs"):
                assert_same(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), path
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            assert_same(left, right, f"{path}[{number}]")
    else:
        assert one == other, path


def assert_same_end(one: Path, other: Path) -> None:
    left, right = last_checkpoint(one), last_checkpoint(other)
    # Lightning may count its own loops differently after a resume; positions are compared through the weights.
    for checkpoint in (left, right):
        del checkpoint["loops"]
    assert_same(left, right)
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    files = [sorted(file.name for file in (folder / "checkpoints").iterdir()) for folder in (one, other)]
    assert files[0] == files[1]


@pytest.fixture(scope="module")
def uninterrupted(make_small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run without interruption."""
    output = tmp_path_factory.mktemp("uninterrupted") / "run"
    fit(make_small_run(*STATEFUL), output, console=QUIET)
    return output


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next run die after an optimizer step, and after the validation and checkpoint that follow it."""
    original = FitCallback.after_step

    def dying(self: FitCallback, trainer: Any, module: Any, *, end_of_epoch: bool) -> None:
        original(self, trainer, module, end_of_epoch=end_of_epoch)
        if trainer.global_step == step:
            raise Killed

    monkeypatch.setattr(FitCallback, "after_step", dying)


@pytest.mark.parametrize("kills", [(1, 4), (5, 6), (7, 8, 9), (10, 14, 15), (3, 13, 20)])
def test_a_killed_run_resumes_exactly(
    make_small_run: Any,
    uninterrupted: Path,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    kills: tuple[int, ...],
) -> None:
    run = make_small_run(*STATEFUL)
    for step in kills:
        with monkeypatch.context() as patch:
            kill_at(step, patch)
            with pytest.raises(Killed):
                fit(run, output, resume=True, console=QUIET)
    fit(run, output, resume=True, console=QUIET)
    assert_same_end(uninterrupted, output)


def test_the_comparison_fails_for_different_weights(
    uninterrupted: Path, make_small_run: Any, output: Path
) -> None:
    fit(make_small_run(*STATEFUL, "training.max_steps=5"), output, console=QUIET)
    with pytest.raises(AssertionError):
        assert_same_end(uninterrupted, output)


@pytest.mark.parametrize("step", [4, 10, 14])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_interrupted_after_a_step_resumes_exactly(
    make_small_run: Any,
    uninterrupted: Path,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    number: int,
    status: int,
) -> None:
    run = make_small_run(*STATEFUL)
    original = FitCallback.on_train_batch_end

    def interrupted(self: FitCallback, trainer: Any, *arguments: Any) -> None:
        if trainer.global_step == step and not self.signals.received:
            os.kill(os.getpid(), number)
        original(self, trainer, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(FitCallback, "on_train_batch_end", interrupted)
        with pytest.raises(TrainingInterrupted) as caught:
            fit(run, output, console=QUIET)
    assert caught.value.code == status
    assert last_checkpoint(output)["global_step"] == step
    fit(run, output, resume=True, console=QUIET)
    assert_same_end(uninterrupted, output)


def test_a_run_interrupted_in_a_validation_resumes_exactly(
    make_small_run: Any, uninterrupted: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_small_run(*STATEFUL)
    original = Validation.add
    calls = []

    def interrupted(self: Validation, batch: Any) -> None:
        original(self, batch)
        calls.append(batch)
        if len(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Validation, "add", interrupted)
        patch.setattr("nmt_lstm.training.data_module._VALIDATION_BATCH_SIZE", 8)
        with pytest.raises(TrainingInterrupted):
            fit(run, output, console=QUIET)
    assert last_checkpoint(output)["callbacks"]["RunControl"]["validation_due"]
    fit(run, output, resume=True, console=QUIET)
    assert_same_end(uninterrupted, output)


def test_a_run_killed_by_sigkill_resumes_exactly(
    make_small_run: Any, uninterrupted: Path, output: Path, tmp_path: Path
) -> None:
    """The same with a separate process and a real SIGKILL."""
    run: RunSettings = make_small_run(*STATEFUL)
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    script = tmp_path / "train.py"
    script.write_text(
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from rich.console import Console\n"
        "from nmt_lstm.config.load import load_run\n"
        "from nmt_lstm.training.fit import fit\n"
        "from nmt_lstm.training.fit_callback import FitCallback\n"
        "original = FitCallback.on_train_batch_end\n"
        "def dying(self, trainer, *arguments):\n"
        "    if trainer.global_step == 9:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    original(self, trainer, *arguments)\n"
        "FitCallback.on_train_batch_end = dying\n"
        "fit(load_run(sys.argv[1]), Path(sys.argv[2]), console=Console(quiet=True))\n"
    )
    killed = subprocess.run([sys.executable, script, tmp_path / "run.toml", output], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert last_checkpoint(output)["global_step"] == 8
    fit(run, output, resume=True, console=QUIET)
    assert_same_end(uninterrupted, output)


def test_a_run_resumed_with_more_epochs_ends_like_one_planned_for_them(
    make_small_run: Any, output: Path, tmp_path: Path
) -> None:
    constant = ("training.schedule.name=constant", "training.average=none")
    fit(make_small_run(*constant, "training.epochs=1"), output, console=QUIET)
    fit(make_small_run(*constant, "training.epochs=2"), output, resume=True, console=QUIET)
    fit(make_small_run(*constant, "training.epochs=2"), tmp_path / "other", console=QUIET)
    assert_same(last_checkpoint(output)["state_dict"], last_checkpoint(tmp_path / "other")["state_dict"])


def test_resuming_a_finished_run_only_selects_the_weights_again(
    uninterrupted: Path, make_small_run: Any
) -> None:
    weights = (uninterrupted / "model.safetensors").read_bytes()
    result = fit(make_small_run(*STATEFUL), uninterrupted, resume=True, console=QUIET)
    assert result.steps == last_checkpoint(uninterrupted)["global_step"]
    assert (uninterrupted / "model.safetensors").read_bytes() == weights


def test_a_different_model_cannot_resume_a_run(uninterrupted: Path, make_small_run: Any) -> None:
    run = make_small_run(*STATEFUL, "model.encoder.hidden_size=24", "training.batch_pieces=1400")
    with pytest.raises(ConfigurationError, match=r"hidden_size was 16 .*batch_pieces was 1500"):
        fit(run, uninterrupted, resume=True, console=QUIET)


def test_a_different_vocabulary_cannot_resume_a_run(uninterrupted: Path, make_small_run: Any) -> None:
    run = make_small_run(*STATEFUL, "subwords.kind=bpe")
    with pytest.raises(ModelFolderError, match="source and target vocabulary"):
        fit(run, uninterrupted, resume=True, console=QUIET)


def test_a_run_is_not_overwritten(uninterrupted: Path, make_small_run: Any) -> None:
    with pytest.raises(ConfigurationError, match="--resume"):
        fit(make_small_run(*STATEFUL), uninterrupted, console=QUIET)
