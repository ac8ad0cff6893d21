"""The summary of a finished run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from nmt_lstm.training.fit_result import FitResult, show_summary
from nmt_lstm.training.progress import ProgressDisplay


def summary_lines(folder: Path, *, seconds: float, limit: float | None, out_of_time: bool) -> list[str]:
    result = FitResult(
        folder=folder,
        metrics={"loss": 1.0, "perplexity": 2.7, "bleu": 40.0, "chrf": 60.0},
        signatures={"bleu": "b", "chrf": "c"},
        beam_size=5,
        averaged_steps=[8],
        steps=8,
        epochs=2,
        planned_epochs=4,
        out_of_time=out_of_time,
        time_limit=limit,
        narrowed=False,
        seconds=seconds,
        reason="the time limit is reached",
        parameters=1_000,
        diagnosis=[],
        fingerprint="f" * 32,
        curve=[],
    )
    file = io.StringIO()
    show_summary(ProgressDisplay(Console(file=file, width=200)), result)
    return file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("seconds", "limit", "out_of_time", "explained"),
    [
        (118.0, 130.0, True, True),
        (130.2, 130.0, True, False),
        (140.0, 130.0, True, False),
        (118.0, 130.0, False, False),
        (118.0, None, False, False),
    ],
)
def test_the_time_reserved_for_the_end_is_explained(
    random_model_folder: Path, seconds: float, limit: float | None, out_of_time: bool, explained: bool
) -> None:
    lines = summary_lines(random_model_folder, seconds=seconds, limit=limit, out_of_time=out_of_time)
    (time,) = (line for line in lines if line.startswith("time "))
    assert ("of 2m 10s: training stops early" in time) is explained
