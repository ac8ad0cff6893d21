"""Small runs, and results made without training."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.probes.result import Attempt, GradientFlow, ProbeResult
from nmt_lstm.lab.probes.run import ProbeRun, ProbeSettings, parse_cell


@pytest.fixture
def make_run():
    """Return a function that makes a run of a few steps."""

    def make(
        cell: str = "gru", task: str = "adding", length: int = 4, seed: int = 1, **settings: object
    ) -> ProbeRun:
        small = {"hidden_size": 8, "batch_size": 8, "steps": 6, "check_every": 3, "test_rows": 40}
        return ProbeRun(
            cell=parse_cell(cell),
            task=task,
            length=length,
            seed=seed,
            settings=ProbeSettings.model_validate({**small, **settings}),
        )

    return make


@pytest.fixture
def make_result(make_run):
    """Return a function that makes the result of a run that ended with `loss`; the baseline is 1."""

    def make(
        run: ProbeRun | None = None,
        *,
        loss: float | None = 1.0,
        stopped: str = "steps",
        steps: int = 6,
        largest_gradient: float | None = None,
    ) -> ProbeResult:
        run = run or make_run()
        curve = [(steps // 2, 1.0), (steps, loss)]
        return ProbeResult(
            run=run,
            distribution={"name": run.cell.name, "target": "", "distribution": "nmt-lstm", "version": "0"},
            parameters=1234,
            baseline=1.0,
            solved_below=0.06,
            attempts=[
                Attempt(
                    learning_rate=0.01,
                    stopped=stopped,
                    steps=steps,
                    curve=curve,
                    largest_gradient=largest_gradient,
                )
            ],
            gradient_flow=GradientFlow(initial=[2.0, 1.0, 0.5], trained=[4.0, 4.0, 0.0]),
            seconds=1.5,
            versions={"nmt-lstm": "0.1.0", "torch": "2"},
            finished="2026-01-01T00:00:00+00:00",
        )

    return make
