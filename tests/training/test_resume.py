"""A training that was killed or interrupted and then resumed ends as one that never stopped, bit for bit."""

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
from nmt_lstm.training.checkpoint_files import read_checkpoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.interruption import TrainingInterrupted
from nmt_lstm.training.run_control import RunControl
from nmt_lstm.training.validation import Validation

QUIET = Console(quiet=True)
# Everything that has a state: a moving average, plateau, patience, several validations in an epoch, dropout.
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
    """Ends a training as a kill would: nothing gets a chance to save."""


def last(output: Path) -> dict[str, Any]:
    return read_checkpoint(output / "checkpoints" / "last.ckpt")


def assert_same(one: Any, other: Any, path: str = "") -> None:
    """Compare nested values; tensors to the last bit. Clocks may differ."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), path
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            if key != "clock":
                assert_same(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), path
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            assert_same(left, right, f"{path}[{number}]")
    else:
        assert one == other, path


def assert_same_end(one: Path, other: Path) -> None:
    left, right = last(one), last(other)
    # How Lightning counts its own loops after a resume is its matter; positions are compared through the weights.
    for kept in (left, right):
        del kept["loops"]
    assert_same(left, right)
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    files = [sorted(file.name for file in (folder / "checkpoints").iterdir()) for folder in (one, other)]
    assert files[0] == files[1]


@pytest.fixture(scope="module")
def whole(make_small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nothing disturbed."""
    output = tmp_path_factory.mktemp("whole") / "run"
    fit(make_small_run(*STATEFUL), output, console=QUIET)
    return output


def steps_of(whole: Path) -> int:
    return int(last(whole)["global_step"])


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next training die after an optimizer step and what is due after it."""
    original = RunControl._after_step

    def dying(self: RunControl, trainer: Any, module: Any, *, end_of_epoch: bool) -> None:
        original(self, trainer, module, end_of_epoch=end_of_epoch)
        if trainer.global_step == step:
            raise Killed

    monkeypatch.setattr(RunControl, "_after_step", dying)


@pytest.mark.parametrize("kills", [(1, 4), (5, 6), (7, 8, 9), (10, 14, 15), (3, 13, 20)])
def test_killed_and_resumed(
    make_small_run: Any, whole: Path, output: Path, monkeypatch: pytest.MonkeyPatch, kills: tuple[int, ...]
) -> None:
    run = make_small_run(*STATEFUL)
    for step in kills:
        with monkeypatch.context() as patch:
            kill_at(step, patch)
            with pytest.raises(Killed):
                fit(run, output, resume=True, console=QUIET)
    fit(run, output, resume=True, console=QUIET)
    assert_same_end(whole, output)


def test_weights_differ_without_the_steps_in_between(whole: Path, make_small_run: Any, output: Path) -> None:
    """The comparison above can fail."""
    fit(make_small_run(*STATEFUL, "training.max_steps=5"), output, console=QUIET)
    with pytest.raises(AssertionError):
        assert_same_end(whole, output)


@pytest.mark.parametrize("step", [4, 10, 14])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_after_a_step(
    make_small_run: Any,
    whole: Path,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    number: int,
    status: int,
) -> None:
    run = make_small_run(*STATEFUL)
    original = RunControl.on_train_batch_end

    def interrupted(self: RunControl, trainer: Any, *arguments: Any) -> None:
        if trainer.global_step == step and not self.signals.received:
            os.kill(os.getpid(), number)
        original(self, trainer, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(RunControl, "on_train_batch_end", interrupted)
        with pytest.raises(TrainingInterrupted) as stopped:
            fit(run, output, console=QUIET)
    assert stopped.value.code == status
    assert last(output)["global_step"] == step
    fit(run, output, resume=True, console=QUIET)
    assert_same_end(whole, output)


def test_interrupted_in_a_validation(
    make_small_run: Any, whole: Path, output: Path, monkeypatch: pytest.MonkeyPatch
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
        patch.setattr("nmt_lstm.training.data_module._VALIDATION_SENTENCES", 8)
        with pytest.raises(TrainingInterrupted):
            fit(run, output, console=QUIET)
    assert last(output)["callbacks"]["RunControl"]["validation_due"]
    fit(run, output, resume=True, console=QUIET)
    assert_same_end(whole, output)


def test_killed_for_good(make_small_run: Any, whole: Path, output: Path, tmp_path: Path) -> None:
    """The same with another process and a real SIGKILL."""
    run: RunSettings = make_small_run(*STATEFUL)
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    script = tmp_path / "train.py"
    script.write_text(
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from rich.console import Console\n"
        "from nmt_lstm.config.load import load_run\n"
        "from nmt_lstm.training.fit import fit\n"
        "from nmt_lstm.training.run_control import RunControl\n"
        "original = RunControl.on_train_batch_end\n"
        "def dying(self, trainer, *arguments):\n"
        "    if trainer.global_step == 9:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    original(self, trainer, *arguments)\n"
        "RunControl.on_train_batch_end = dying\n"
        "fit(load_run(sys.argv[1]), Path(sys.argv[2]), console=Console(quiet=True))\n"
    )
    killed = subprocess.run([sys.executable, script, tmp_path / "run.toml", output], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert last(output)["global_step"] == 8
    fit(run, output, resume=True, console=QUIET)
    assert_same_end(whole, output)


def test_more_epochs_can_be_added(make_small_run: Any, output: Path, tmp_path: Path) -> None:
    constant = ("training.schedule.name=constant", "training.average=none")
    fit(make_small_run(*constant, "training.epochs=1"), output, console=QUIET)
    fit(make_small_run(*constant, "training.epochs=2"), output, resume=True, console=QUIET)
    fit(make_small_run(*constant, "training.epochs=2"), tmp_path / "other", console=QUIET)
    assert_same(last(output)["state_dict"], last(tmp_path / "other")["state_dict"])


def test_resuming_a_finished_training_only_chooses_the_weights_again(
    whole: Path, make_small_run: Any
) -> None:
    before = (whole / "model.safetensors").read_bytes()
    found = fit(make_small_run(*STATEFUL), whole, resume=True, console=QUIET)
    assert found.steps == steps_of(whole)
    assert (whole / "model.safetensors").read_bytes() == before


def test_another_model_is_refused(whole: Path, make_small_run: Any) -> None:
    run = make_small_run(*STATEFUL, "model.encoder.hidden_size=24", "training.batch_pieces=1400")
    with pytest.raises(
        ConfigurationError,
        match=r"model.encoder.hidden_size was 16 and is 24; training.batch_pieces was 1500 and is 1400",
    ):
        fit(run, whole, resume=True, console=QUIET)


def test_another_vocabulary_is_refused(whole: Path, make_small_run: Any) -> None:
    run = make_small_run(*STATEFUL, "subwords.kind=bpe")
    with pytest.raises(ModelFolderError, match="is of another source and target vocabulary"):
        fit(run, whole, resume=True, console=QUIET)


def test_a_training_is_not_overwritten(whole: Path, make_small_run: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"there is a training in '.*' already; continue it with --resume"
    ):
        fit(make_small_run(*STATEFUL), whole, console=QUIET)
