"""The benchmark of memory over a long training: steps of readings, the slope, and a miniature of the whole."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest


@pytest.fixture
def growth(repository, monkeypatch):
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("growth")


def test_readings_get_the_steps_between_the_validations_before_and_after_them(growth) -> None:
    logged = [growth.Logged(1.0, 10.0), growth.Logged(2.0, 30.0), growth.Logged(3.0, 40.0)]
    found = growth.readings([size << 20 for size in (1, 2, 3, 4, 5, 6, 7)], logged)
    assert [each.step for each in found] == [10.0, 20.0, 30.0, 35.0]
    assert [each.mebibytes for each in found] == [2.0, 3.0, 4.0, 5.0]


def test_a_training_without_two_readings_is_refused(growth) -> None:
    with pytest.raises(SystemExit, match="raise --steps"):
        growth.readings([1 << 20], [growth.Logged(1.0, 10.0), growth.Logged(2.0, 30.0)])


@pytest.mark.parametrize("rate", [2.0, 0.0, -3.0])
def test_the_slope_is_that_of_a_line(growth, rate) -> None:
    found = [growth.Reading(step, 900.0 + rate * step / 1_000) for step in (100.0, 400.0, 900.0)]
    assert growth.slope(found) == pytest.approx(rate)


@pytest.mark.bench
@pytest.mark.slow
def test_the_miniature_trains_and_reports(repository, tmp_path) -> None:
    output = tmp_path / "figures.json"
    words = ["growth", "--quick", "--json", str(output), "--text", str(tmp_path)]
    finished = subprocess.run(
        [sys.executable, str(repository / "benchmarks" / "run.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    figures = json.loads(output.read_text(encoding="utf-8"))["figures"]
    assert [figure["what"].strip() for figure in figures] == [
        *("training", "after a quarter", "after half", "after all", "growth"),
    ]
    peak, *resident, slope = figures
    assert slope["unit"] == "MiB/1,000 steps"
    assert all(0 < figure["value"] <= peak["value"] for figure in resident)
