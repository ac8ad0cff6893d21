"""A comparison that was never trained: plans, results and translations of chosen quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.lab.comparison.description import Report
from nmt_lstm.lab.comparison.factors import Factor, variants_of
from nmt_lstm.lab.comparison.matching import Match
from nmt_lstm.lab.comparison.plan import Plan, PlannedVariant, Request
from nmt_lstm.lab.comparison.run_result import CurvePoint, RunResult, TrainingResult
from nmt_lstm.lab.comparison.scoring import EvaluationText, FinishedRun, compare_runs
from nmt_lstm.lab.comparison.verdict import Circumstances, give_verdict

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
SENTENCES = 80
QUALITIES = {"lstm": (4, 5), "gru": (4, 4), "my_cells:<b>Mine</b>|*": (2, 2)}
PARAMETERS = Match(parameters=True, budget="updates")


def sentence(number: int) -> str:
    """Return a sentence of 5 to 12 words, different for each number."""
    return " ".join(WORDS[(number * 3 + index * (number % 5 + 1)) % 8] for index in range(5 + number % 8))


def corrupted(text: str, every: int, shift: int) -> str:
    """Return the sentence with every `every`-th word replaced."""
    return " ".join(
        "wrong" if (index + shift) % every == 0 else word for index, word in enumerate(text.split())
    )


@pytest.fixture(scope="session")
def test_text() -> EvaluationText:
    """A text whose references equal its sources."""
    lines = [sentence(number) for number in range(SENTENCES)]
    return EvaluationText(lines, lines, "de", "13a")


@pytest.fixture(scope="session")
def outputs(test_text: EvaluationText) -> Callable[[int, int], list[str]]:
    """Return a function that makes translations: the larger its first argument, the better; the second is the seed."""

    def make(every: int, seed: int) -> list[str]:
        return [corrupted(text, every, number + seed) for number, text in enumerate(test_text.references)]

    return make


@pytest.fixture(scope="session")
def make_result() -> Callable[..., RunResult]:
    """Return a function that makes the result of a run."""

    def make(**changed: Any) -> RunResult:
        translate_seconds = changed.pop("translate_seconds", 2.0)
        values: dict[str, Any] = {
            "steps": 300,
            "epochs": 3,
            "seconds": 120.0,
            "reason": "all 3 epochs are done",
            "parameters": 31_000,
            "fingerprint": "f" * 32,
            "validation": {"loss": 2.0, "perplexity": 7.4, "bleu": 20.0, "chrf": 40.0},
            "pieces_per_second": 5_000.0,
            "peak_bytes": 500 * 2**20,
            "device_bytes": None,
            "device": "CPU",
            "threads": 1,
            "curve": [
                CurvePoint(step=100 * n, seconds=40.0 * n, loss=4.0 / n, bleu=20.0 - 10.0 / n, chrf=30.0)
                for n in (1, 2, 3)
            ],
            **changed,
        }
        return RunResult(
            training=TrainingResult(**values),
            translate_seconds=translate_seconds,
            sentences=SENTENCES,
            beam_size=5,
        )

    return make


@pytest.fixture(scope="session")
def make_plan_of(tiny_run: Any) -> Callable[..., Plan]:
    """Return a function that makes a plan that varies the cell; options that it does not know go to the request."""

    def make(
        *cells: str,
        seeds: Sequence[int] = (1, 2),
        match: Match = PARAMETERS,
        parameters: Sequence[int] | None = None,
        **options: Any,
    ) -> Plan:
        factor = Factor("cell", ("model.encoder.cell", "model.decoder.cell"), cells)
        sizes = parameters or [31_000] * len(cells)
        variants = [
            PlannedVariant(variant, tiny_run, size, "f" * 32, 300)
            for variant, size in zip(variants_of([factor]), sizes, strict=True)
        ]
        request = Request(values={}, factors=[factor], seeds=seeds, match=match, **options)
        return Plan(request, 31_000 if match.parameters else 0, tuple(variants))

    return make


@pytest.fixture(scope="session")
def make_runs(outputs: Any, make_result: Any) -> Callable[..., list[FinishedRun]]:
    """Return a function that makes runs from the quality of each seed by variant, and changes to the results of a variant."""

    def make(qualities: dict[str, Sequence[int]], **changed: dict[str, Any]) -> list[FinishedRun]:
        return [
            FinishedRun(name, seed, make_result(**changed.get(name, {})), outputs(quality, seed))
            for name, seed_qualities in qualities.items()
            for seed, quality in enumerate(seed_qualities, 1)
        ]

    return make


@pytest.fixture(scope="session")
def make_report(make_plan_of: Any, make_runs: Any, test_text: Any):
    """Return a function that makes a report from the qualities of the seeds by variant."""

    def make(qualities: dict[str, tuple[int, ...]] = QUALITIES, *, failures=None, **changed: Any) -> Report:
        plan = make_plan_of(*qualities, test_source=Path("a & b"), command="nmt-lstm compare <x>")
        findings = compare_runs(plan, make_runs(qualities, **changed), test_text)
        circumstances = Circumstances(jobs=2, failures=failures or {})
        return Report(plan, findings, give_verdict(findings, plan, circumstances), circumstances)

    return make
