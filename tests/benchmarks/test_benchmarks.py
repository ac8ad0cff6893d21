"""The benchmarks run, and their figures have what is counted beside them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.bench
@pytest.mark.slow
@pytest.mark.parametrize(
    "benchmark",
    [
        *("limits", "attentions", "cells", "train", "translate", "search-costs", "memory", "startup"),
        *("scaling", "profile", "gnmt"),
    ],
)
def test_quick_benchmark_reports_figures(repository, tmp_path, benchmark) -> None:
    output = tmp_path / "figures.json"
    # A folder without Multi30k: the benchmark must run anywhere, on the built-in corpus.
    words = [benchmark, "--quick", "--json", str(output), "--text", str(tmp_path)]
    finished = subprocess.run(
        [sys.executable, str(repository / "benchmarks" / "run.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    report = json.loads(output.read_text(encoding="utf-8"))
    assert {"processor", "torch", "nmt-lstm"} <= set(report["machine"])
    for figure in report["figures"]:
        assert figure["value"] > 0
        assert figure["unit"]
        assert figure["counted"]
        assert figure["what"].strip() in finished.stdout
