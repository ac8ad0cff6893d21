"""What may be resumed: a training that is at its end, but not one to which the settings leave less than is done."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from nmt_lstm.errors import NothingLeftError
from nmt_lstm.training.csv_log import read_log
from nmt_lstm.training.fit import fit
from nmt_lstm.training.resumption import Standing, check_resumable

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def two_epochs(make_small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("two") / "run"
    fit(make_small_run("training.validate_every=3"), output, console=QUIET)
    return output


@pytest.fixture
def resumed(two_epochs: Path, output: Path) -> Path:
    """A copy to be resumed."""
    shutil.copytree(two_epochs, output)
    return output


def test_a_checkpoint_says_how_far_it_is(two_epochs: Path) -> None:
    standing = Standing.read(two_epochs / "checkpoints" / "last.ckpt")
    assert (standing.epochs, standing.epochs_begun, standing.validated) == (2, 2, True)
    assert standing.time_limit_reached is None


def test_fewer_epochs_than_are_done_are_refused(make_small_run: Any, resumed: Path) -> None:
    run = make_small_run("training.epochs=1")
    with pytest.raises(NothingLeftError, match=r"training.epochs=3") as refused:
        check_resumable(run.training, resumed)
    assert (refused.value.key, refused.value.value, refused.value.exit_status) == ("training.epochs", 1, 2)
    with pytest.raises(NothingLeftError):
        fit(run, resumed, resume=True, console=QUIET)


def test_a_training_at_its_end_takes_no_step_and_says_what_to_pass(
    make_small_run: Any, resumed: Path
) -> None:
    for overrides, setting in (
        (("training.epochs=2",), "training.epochs"),
        (("training.epochs=9", "training.max_steps=5"), "training.max_steps"),
    ):
        file = io.StringIO()
        run = make_small_run(*overrides)
        check_resumable(run.training, resumed)
        before = Standing.read(resumed / "checkpoints" / "last.ckpt").step
        found = fit(run, resumed, resume=True, console=Console(file=file, width=200))
        assert found.steps == before
        assert f"larger {setting}" in file.getvalue()


@pytest.mark.parametrize(
    ("elapsed", "reached", "limit", "refused"),
    [
        (100.0, None, "90s", True),
        (80.0, 90.0, "90s", True),
        (80.0, 90.0, "3h", False),
        (80.0, None, "", False),
    ],
)
def test_a_time_limit_that_is_used_up_is_refused(
    make_small_run: Any, resumed: Path, elapsed: float, reached: float | None, limit: str, refused: bool
) -> None:
    path = resumed / "checkpoints" / "last.ckpt"
    state = torch.load(path, weights_only=True)
    control = state["callbacks"]["RunControl"]
    control["clock"]["elapsed"], control["time_limit_reached"] = elapsed, reached
    torch.save(state, path)
    run = make_small_run("training.epochs=9", f"training.time_limit={limit}")
    if not refused:
        check_resumable(run.training, resumed)
        return
    with pytest.raises(NothingLeftError, match=r"--time-limit, such as \dm") as problem:
        check_resumable(run.training, resumed)
    assert problem.value.key == "training.time_limit"
    # A program that resumes all the same gets the model without another step.
    if reached is None:
        found = fit(run, resumed, resume=True, console=QUIET)
        assert found.out_of_time
        assert found.steps == state["global_step"]


def test_one_log_over_all_sessions(
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
