"""Runs that use everything that has a state resume exactly: the weights, the checkpoint, the log and the learning curve."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.training.diagnosis import ValidationPoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.fit_callback import FitCallback
from nmt_lstm.training.fit_result import FitResult
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.validator import Validator

QUIET = Console(quiet=True)
CLOCKS = ("elapsed_seconds", "target_pieces_per_second")
OVERRIDES = (
    "training.epochs=3",
    "training.accumulate=2",
    "training.ema=0.9",
    "training.average=last",
    "training.average_count=2",
    "training.schedule.name=plateau",
    "training.schedule.patience=0",
    "training.patience=50",
    "training.validate_every=5",
    "training.checkpoint_every=3",
    "model.word_dropout=0.1",
)


class Killed(BaseException):
    """Ends a run like a kill: nothing is saved."""


@pytest.fixture(scope="module")
def run_of_task(make_small_run: Any, parallel_files: Any) -> Any:
    """Return a function that makes the run of a task, on two corpora with weights and with sampled subwords."""

    def make(task: str) -> RunSettings:
        values = make_small_run(*OVERRIDES).model_dump(mode="json", exclude_none=True)
        source, target = (str(getattr(parallel_files, f"train_{side}")) for side in ("source", "target"))
        corpora: list[dict[str, Any]] = [
            {"source": source, "target": target},
            {"source": target, "target": source, "weight": 0.4},
        ]
        data = {"prepared": values["data"]["prepared"], "corpora": corpora}
        common = {
            "task": task,
            "seed": 3,
            "data": data,
            "subwords": {"vocabulary_size": 100, "sampling": 0.2},
            "training": values["training"],
        }
        if task == "language-model":
            for corpus in corpora:
                del corpus["target"]
            data["valid_source"] = str(parallel_files.valid_target)
            common["training"]["metric"] = "loss"
            return make_run({**common, "model": {"embedding_size": 16, "decoder": {"hidden_size": 16}}})
        data |= {
            f"valid_{side}": str(getattr(parallel_files, f"valid_{side}")) for side in ("source", "target")
        }
        return make_run({**common, "model": values["model"], "search": {"beam_size": 2}})

    return make


def kill_after_step(step: int, patch: pytest.MonkeyPatch) -> None:
    """Let a run die between two steps of an epoch."""
    original = FitCallback.after_step

    def dying(self: FitCallback, trainer: Any, module: Any, *, end_of_epoch: bool) -> None:
        original(self, trainer, module, end_of_epoch=end_of_epoch)
        if trainer.global_step == step:
            raise Killed

    patch.setattr(FitCallback, "after_step", dying)


def kill_after_validation(step: int, patch: pytest.MonkeyPatch) -> None:
    """Let a run die right after a validation, whose row is in the log, but in no checkpoint."""
    original = Validator.validate

    def dying(self: Validator, trainer: Any, module: Any) -> bool | None:
        improved = original(self, trainer, module)
        if trainer.global_step == step:
            raise Killed
        return improved

    patch.setattr(Validator, "validate", dying)


def kill_within_step(step: int, patch: pytest.MonkeyPatch) -> None:
    """Let a run die after the first of the two batches in which a step is computed."""
    original = TranslationModule.training_step

    def dying(self: TranslationModule, batch: Any, batch_idx: int) -> Any:
        if self.global_step == step and batch_idx % 2:
            raise Killed
        return original(self, batch, batch_idx)

    patch.setattr(TranslationModule, "training_step", dying)


def logged(output: Path) -> list[dict[str, str]]:
    """Return the rows of the log without what depends on the clock."""
    with (output / "logs" / "metrics.csv").open(newline="") as file:
        return [
            {name: value for name, value in row.items() if name not in CLOCKS} for row in csv.DictReader(file)
        ]


def without_clock(point: ValidationPoint) -> str:
    # As text, because scores that a task does not have are NaN, which is not equal to itself.
    return str(point._replace(seconds=0.0, pieces_per_second=0.0))


@pytest.mark.parametrize("task", ["translation", "language-model"])
def test_a_run_killed_at_any_moment_resumes_exactly(
    run_of_task: Any, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "nmt_lstm.training.module._STEPS_BETWEEN_LOGS", 4
    )  # no multiple of the other intervals
    run = run_of_task(task)
    whole: FitResult = fit(run, tmp_path / "whole", console=QUIET)
    kills = ((kill_within_step, 2), (kill_after_step, 8), (kill_after_validation, 10), (kill_within_step, 16))
    for kill, step in kills:
        with monkeypatch.context() as patch:
            kill(step, patch)
            with pytest.raises(Killed):
                fit(run, tmp_path / "killed", resume=True, console=QUIET)
    resumed: FitResult = fit(run, tmp_path / "killed", resume=True, console=QUIET)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]
    assert resumed.metrics == whole.metrics
    assert resumed.averaged_steps == whole.averaged_steps
    rows = logged(tmp_path / "killed")
    assert rows == logged(tmp_path / "whole")
    assert max(Counter((row["step"], bool(row["train_loss"])) for row in rows).values()) == 1
    trained = [int(row["step"]) for row in rows if row["train_loss"]]
    assert trained == list(range(4, whole.steps + 1, 4))
    assert [*map(without_clock, resumed.curve)] == [*map(without_clock, whole.curve)]
