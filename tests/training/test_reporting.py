"""How a validation is reported."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

from rich.console import Console

from nmt_lstm.evaluation.scores import Score
from nmt_lstm.training.progress import ProgressDisplay
from nmt_lstm.training.reporting import RunReport
from nmt_lstm.training.throughput import StepStatistics
from nmt_lstm.training.time_budget import TimeBudget
from nmt_lstm.training.validation import ValidationResult


def report_validation(*, terminal: bool, width: int = 200) -> str:
    file = io.StringIO()
    report = RunReport(
        display=ProgressDisplay(Console(file=file, force_terminal=terminal, width=width, color_system=None)),
        budget=TimeBudget(None),
        epochs=3,
        beam_size=1,
        sources=["eins .", "zwei .", "drei ."],
        references=["one .", "two .", "three ."],
    )
    result = ValidationResult(
        loss=1.0,
        lines=2,
        scores={"bleu": Score("BLEU", 2.0, "b"), "chrf": Score("chrF2", 3.0, "c")},
        indices=[0, 2],
        translations=["once .", ""],
    )
    trainer = cast("Any", SimpleNamespace(global_step=2, current_epoch=0, world_size=1, loggers=[]))
    report.validation(trainer, result, StepStatistics(1.0, 1, 1.0), improved=True)
    return file.getvalue()


def test_a_terminal_shows_samples_with_source_and_reference() -> None:
    words = [line.split(maxsplit=1) for line in report_validation(terminal=True).splitlines()[1:]]
    assert words == [
        ["source", "eins ."],
        ["translation", "once ."],
        ["reference", "one ."],
        ["source", "drei ."],
        ["translation", "(empty)"],
        ["reference", "three ."],
    ]


def test_a_file_gets_only_the_scores() -> None:
    (line,) = report_validation(terminal=False).splitlines()
    assert "BLEU 2.00  chrF 3.00" in line


def test_a_narrow_terminal_breaks_the_line_between_scores() -> None:
    lines = report_validation(terminal=True, width=60).splitlines()
    assert all(len(line) <= 60 for line in lines)
    scores = next(line for line in lines if "BLEU" in line)
    assert "BLEU 2.00" in scores
    assert scores.startswith("    ")
    assert len(report_validation(terminal=False, width=60).splitlines()) == 1
