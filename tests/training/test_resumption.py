"""Which runs may be resumed: also one at its end, but not one beyond the limits of the settings."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from nmt_lstm.errors import ConfigurationError, ModelFolderError, NothingLeftError
from nmt_lstm.training.csv_log import read_log
from nmt_lstm.training.fit import fit
from nmt_lstm.training.resumption import ResumePoint, check_resumable

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def two_epochs(make_small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("two") / "run"
    fit(make_small_run("training.validate_every=3"), output, console=QUIET)
    return output


@pytest.fixture
def resumed(two_epochs: Path, output: Path) -> Path:
    """A copy of it to resume."""
    shutil.copytree(two_epochs, output)
    return output


def test_a_checkpoint_contains_the_progress_of_its_run(two_epochs: Path) -> None:
    point = ResumePoint.read(two_epochs / "checkpoints" / "last.ckpt")
    assert (point.epochs, point.epochs_started, point.validated) == (2, 2, True)
    assert point.time_limit_reached is None


def test_a_run_cannot_be_resumed_with_fewer_epochs_than_completed(make_small_run: Any, resumed: Path) -> None:
    run = make_small_run("training.epochs=1")
    with pytest.raises(NothingLeftError, match="training.epochs=3") as caught:
        check_resumable(run.training, resumed)
    assert (caught.value.key, caught.value.value, caught.value.exit_status) == ("training.epochs", 1, 2)
    with pytest.raises(NothingLeftError):
        fit(run, resumed, resume=True, console=QUIET)


def test_a_run_cannot_be_resumed_with_fewer_steps_than_done(make_small_run: Any, resumed: Path) -> None:
    step = ResumePoint.read(resumed / "checkpoints" / "last.ckpt").step
    records = {name: (resumed / name).read_bytes() for name in ("run.toml", "manifest.json")}
    run = make_small_run(f"training.max_steps={step - 1}")
    with pytest.raises(NothingLeftError, match=f"training.max_steps={step + 1}") as caught:
        check_resumable(run.training, resumed)
    assert (caught.value.key, caught.value.value) == ("training.max_steps", step - 1)
    with pytest.raises(NothingLeftError):
        fit(run, resumed, resume=True, console=QUIET)
    assert records == {name: (resumed / name).read_bytes() for name in records}


def test_a_finished_run_takes_no_step_and_names_the_setting_to_raise(
    make_small_run: Any, resumed: Path
) -> None:
    step = ResumePoint.read(resumed / "checkpoints" / "last.ckpt").step
    for overrides, setting in (
        (("training.epochs=2",), "training.epochs"),
        (("training.epochs=9", f"training.max_steps={step}"), "training.max_steps"),
    ):
        file = io.StringIO()
        run = make_small_run(*overrides)
        check_resumable(run.training, resumed)
        result = fit(run, resumed, resume=True, console=Console(file=file, width=200))
        assert result.steps == step
        assert f"larger {setting}" in file.getvalue()


@pytest.mark.parametrize(
    ("elapsed", "reached", "limit", "epochs", "fails"),
    [
        (100.0, None, "90s", 9, True),
        (80.0, 90.0, "90s", 9, True),
        (80.0, 90.0, "3h", 9, False),
        (80.0, None, "", 9, False),
        (80.0, None, "90s", 2, False),  # at its end, with the limit that it had
        (80.0, 0.0, "70s", 2, True),
    ],
)
def test_a_run_cannot_be_resumed_with_a_used_up_time_limit(
    make_small_run: Any,
    resumed: Path,
    elapsed: float,
    reached: float | None,
    limit: str,
    epochs: int,
    fails: bool,
) -> None:
    path = resumed / "checkpoints" / "last.ckpt"
    state = torch.load(path, weights_only=True)
    callback = state["callbacks"]["RunControl"]
    callback["clock"]["elapsed"], callback["time_limit_reached"] = elapsed, reached
    torch.save(state, path)
    run = make_small_run(f"training.epochs={epochs}", f"training.time_limit={limit}")
    if not fails:
        check_resumable(run.training, resumed)
        return
    with pytest.raises(NothingLeftError, match=r"--time-limit, such as \dm") as caught:
        check_resumable(run.training, resumed)
    assert caught.value.key == "training.time_limit"
    # A program that resumes without this check gets the model, after no further step.
    if reached is None:
        result = fit(run, resumed, resume=True, console=QUIET)
        assert result.out_of_time
        assert result.steps == state["global_step"]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_used(
    make_small_run: Any, two_epochs: Path, resumed: Path
) -> None:
    checkpoints = resumed / "checkpoints"
    step = ResumePoint.read(checkpoints / "last.ckpt").step
    before = ResumePoint.read(checkpoints / "before-last.ckpt").step
    assert before < step
    damage(checkpoints / "last.ckpt")
    file = io.StringIO()
    run = make_small_run("training.validate_every=3")
    check_resumable(run.training, resumed)
    result = fit(run, resumed, resume=True, console=Console(file=file, width=400))
    assert result.steps == step
    text = file.getvalue()
    assert text.count("warning: ") == 1
    assert "last.ckpt' is damaged: it was changed: it no longer has the SHA-256" in text
    assert f"step {before:,}" in text
    ends = [(folder / "model.safetensors").read_bytes() for folder in (two_epochs, resumed)]
    assert ends[0] == ends[1]
    # The damaged file is gone, and the sound one before it is still there.
    assert ResumePoint.read(checkpoints / "last.ckpt").step == step
    assert ResumePoint.read(checkpoints / "before-last.ckpt").step == before


def test_two_damaged_checkpoints_are_both_named(make_small_run: Any, resumed: Path) -> None:
    checkpoints = resumed / "checkpoints"
    for name in ("last.ckpt", "before-last.ckpt"):
        damage(checkpoints / name)
    with pytest.raises(ModelFolderError, match="before-last.ckpt") as caught:
        fit(make_small_run(), resumed, resume=True, console=QUIET)
    assert caught.value.path == checkpoints / "last.ckpt"
    assert "last.ckpt': it was changed" in str(caught.value)
    assert "copy" in str(caught.value)


def test_a_missing_newest_checkpoint_is_like_a_damaged_one(make_small_run: Any, resumed: Path) -> None:
    (resumed / "checkpoints" / "last.ckpt").unlink()
    with pytest.raises(ConfigurationError, match="--resume"):
        fit(make_small_run(), resumed, console=QUIET)
    point = ResumePoint.newest(resumed)
    assert point is not None
    assert "does not exist" in point.damage


def test_a_resumed_run_continues_its_log(
    make_small_run: Any, output: Path, two_epochs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nmt_lstm.training.module._STEPS_BETWEEN_LOGS", 2)
    every = ("training.validate_every=3", "training.epochs=3")
    fit(make_small_run("training.validate_every=3", "training.epochs=1"), output, console=QUIET)
    fit(make_small_run(*every), output, resume=True, console=QUIET)
    rows = list(read_log(output))
    validated = [int(row["step"]) for row in rows if row["valid_bleu"]]
    trained = [int(row["step"]) for row in rows if row["train_loss"]]
    assert validated == sorted(set(validated))
    assert trained == list(range(2, max(validated) + 1, 2))
    assert [path.name for path in output.rglob("*.csv")] == ["metrics.csv"]
