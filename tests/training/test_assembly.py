"""What a run computes only once, and what its result contains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import nmt_lstm
from nmt_lstm.text import preparation
from nmt_lstm.text.preparation import prepare
from nmt_lstm.training import assembly, data_module
from nmt_lstm.training.csv_log import read_log
from nmt_lstm.training.diagnosis import ValidationPoint
from nmt_lstm.training.fit import fit

QUIET = Console(quiet=True)
# Modules that users call with a whole run: `fit`, and the public classes built from settings; `held_out` and `batch_budget`
# complete a run, and `agreement` compares those of several processes.
ENTRY_POINTS = {
    "agreement",
    "batch_budget",
    "fit",
    "module",
    "data_module",
    "series_data",
    "stream_data",
    "model_writer",
    "preparation",
    "held_out",
}


def test_only_the_assembly_opens_the_settings_of_a_run() -> None:
    package = Path(nmt_lstm.__file__).parent
    sources = [path for name in ("training", "text", "batching") for path in (package / name).glob("*.py")]
    openers = {path.stem for path in sources if "RunSettings" in path.read_text(encoding="utf-8")}
    assert openers - ENTRY_POINTS == {"assembly"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the expensive functions, in the order of their calls."""
    names: list[str] = []

    def count(module: Any, name: str) -> None:
        original = getattr(module, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            names.append(name)
            return original(*arguments, **named)

        monkeypatch.setattr(module, name, counted)

    count(data_module, "plan_batches")
    count(assembly, "measure_throughput")
    count(preparation, "fingerprints_of")
    return names


def test_each_epoch_is_planned_once_and_the_text_hashed_once(
    make_small_run: Any, output: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "WORTH_MEASURING", 1)
    monkeypatch.setattr(assembly, "MEASURED_SECONDS", 0.0)
    fit(make_small_run("training.epochs=2"), output, console=QUIET)
    assert calls == ["fingerprints_of", "plan_batches", "measure_throughput", "plan_batches"]


def test_the_result_of_a_resumed_run_contains_the_complete_curve_and_the_fingerprint(
    make_small_run: Any, output: Path
) -> None:
    every = "training.validate_every=3"
    first = fit(make_small_run("training.epochs=1", every), output, console=QUIET)
    run = make_small_run("training.epochs=2", every)
    result = fit(run, output, resume=True, console=QUIET)
    assert result.fingerprint == prepare(run).fingerprint
    assert [point[2:6] for point in result.curve[: len(first.curve)]] == [point[2:6] for point in first.curve]
    rows = [row for row in read_log(output) if row["valid_loss"]]
    assert [(str(point.step), str(point.loss), str(point.chrf)) for point in result.curve] == [
        (row["step"], row["valid_loss"], row["valid_chrf"]) for row in rows
    ]
    seconds = [point.seconds for point in result.curve]
    assert seconds == sorted(seconds)


def test_resuming_a_finished_run_returns_the_result_of_the_model_in_the_folder(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_small_run("training.epochs=1")
    first = fit(run, output, console=QUIET)
    monkeypatch.setattr("nmt_lstm.training.time_budget.TimeBudget.has_time_to_validate", lambda self: False)
    again = fit(run, output, resume=True, console=QUIET)
    assert (again.metrics, again.averaged_steps) == (first.metrics, first.averaged_steps)


def test_a_validation_point_is_restored_without_its_training_loss() -> None:
    point = ValidationPoint(7, 3.5, 2.5, bleu=1.0, chrf=2.0, seconds=9.0, pieces_per_second=800.0)
    assert ValidationPoint.from_state(point.state_dict())[2:] == point[2:]
    assert ValidationPoint.from_state([7, 2.5])[::2][:2] == (7, 2.5)
