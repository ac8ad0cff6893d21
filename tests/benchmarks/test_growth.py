"""The benchmark of memory growth: steps of samples, the slope, and a short run."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest


@pytest.fixture
def growth(repository, monkeypatch):
    """The module of the benchmark."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("growth")


def test_samples_are_interpolated_between_validations(growth) -> None:
    validations = [growth.Validation(1.0, 10.0), growth.Validation(2.0, 30.0), growth.Validation(3.0, 40.0)]
    samples = growth.samples([size << 20 for size in (1, 2, 3, 4, 5, 6, 7)], validations)
    assert [each.step for each in samples] == [10.0, 20.0, 30.0, 35.0]
    assert [each.mebibytes for each in samples] == [2.0, 3.0, 4.0, 5.0]


def test_a_run_with_fewer_than_two_samples_is_rejected(growth) -> None:
    with pytest.raises(SystemExit, match="raise --steps"):
        growth.samples([1 << 20], [growth.Validation(1.0, 10.0), growth.Validation(2.0, 30.0)])


@pytest.mark.parametrize("rate", [2.0, 0.0, -3.0])
def test_the_slope_is_that_of_a_line(growth, rate) -> None:
    samples = [growth.Sample(step, 900.0 + rate * step / 1_000) for step in (100.0, 400.0, 900.0)]
    assert growth.slope(samples) == pytest.approx(rate)


@pytest.mark.bench
@pytest.mark.slow
def test_a_short_run_reports_growth(repository, tmp_path) -> None:
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
