"""A comparison from start to finish: plan, runs, findings, report."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import DataSettings
from nmt_lstm.config.toml_writer import toml_value
from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.evaluation.scores import chosen_tokenizer
from nmt_lstm.lab.comparison.description import Report, json_values, markdown_report
from nmt_lstm.lab.comparison.findings import Findings
from nmt_lstm.lab.comparison.folder import ComparisonFolder, digest_of, write_text
from nmt_lstm.lab.comparison.html import web_page
from nmt_lstm.lab.comparison.job import ComparisonJob
from nmt_lstm.lab.comparison.plan import Plan, Request, make_plan
from nmt_lstm.lab.comparison.scoring import EvaluationText, FinishedRun, compare_runs
from nmt_lstm.lab.comparison.verdict import Circumstances, Verdict, give_verdict
from nmt_lstm.lab.experiment.execution import run_missing
from nmt_lstm.numerics.threads import usable_cores
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.columns import file_of
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.held_out import HeldOut, with_validation_text

__all__ = ["ComparisonResult", "Request", "compare"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ComparisonResult:
    """A finished comparison."""

    findings: Findings
    verdict: Verdict
    failures: dict[str, str]
    """By name, why runs failed."""
    markdown: Path
    html: Path


def compare(request: Request, output: Path, *, say: Callable[[str], None] = logger.info) -> ComparisonResult:
    """Train all variants with all seeds, compare them, and write ``report.md``, ``report.html`` and ``report.json``.

    Finished runs are not repeated, and interrupted ones resume from their checkpoints.

    Args:
        request: what to compare.
        output: a new or empty folder, or that of an earlier comparison with the same settings.
        say: receives progress messages.

    Raises:
        ConfigurationError: settings are wrong, cannot be matched, or differ from those in the folder.
        PluginError: a part is unknown.
        DataError: a text cannot be used, or a result is damaged.
        ResourceError: all runs failed, or the folder cannot be written.
        TrainingInterrupted: a signal was received; the same command resumes.
    """
    folder = ComparisonFolder(output)
    request, held = _with_validation_text(request, folder)
    with nullcontext() if held is None or folder.exists else held.files():
        if held is not None:
            say(held.describe())
        plan = make_plan(request, say)
    data = plan.variants[0].run.data
    test_source, test_target = _scored_text(request, data)
    pairs = list(read_parallel(test_source, test_target))
    text = EvaluationText(
        [source for source, _ in pairs],
        [target for _, target in pairs],
        data.source_language,
        chosen_tokenizer(data.tokenize, data.target_language),
    )
    with folder.alone():
        folder.begin(
            plan,
            identity={
                "test text": digest_of([file_of(path) for path in (test_source, test_target) if path]),
                "plugin file": digest_of(request.plugins) if request.plugins else "none",
            },
        )
        for line in plan.describe():
            say(line)
        # Test text is translated like the validation set that chooses the weights.
        circumstances = _train(folder, plan, test_source, data.validation_sets()[0].tag, say)
        runs = [
            FinishedRun(run.variant, run.seed, result, folder.files(run.name).read_translations(result))
            for run in plan.runs()
            if (result := folder.files(run.name).read_result()) is not None
        ]
        failures = circumstances.failures
        if not runs:
            name, reason = next(iter(failures.items()))
            raise ResourceError(
                f"all {len(failures)} runs failed; the first ({name}): {reason.rstrip('.')}. Fix the cause and rerun the "
                f"same command."
            )
        findings = compare_runs(plan, runs, text)
        verdict = give_verdict(findings, plan, circumstances)
        report = Report(plan, findings, verdict, circumstances)
        markdown, html = output / "report.md", output / "report.html"
        write_text(markdown, markdown_report(report))
        write_text(html, web_page(report))
        write_text(output / "report.json", json.dumps(json_values(report), indent=2) + "\n")
    return ComparisonResult(findings, verdict, failures, markdown, html)


def _scored_text(request: Request, data: DataSettings) -> tuple[Path, Path | None]:
    """Return the test text, or the first validation set.

    Raises:
        ConfigurationError: that set has several files.
    """
    if request.test_source is not None and request.test_target is not None:
        return request.test_source, request.test_target
    source, target = data.validation_sets()[0].sides()
    if len(source) > 1:
        raise ConfigurationError(
            "the first validation set has several files, but a comparison scores one; name it with --test-source and "
            "--test-target."
        )
    return source[0], target[0] if target else None


def _with_validation_text(request: Request, folder: ComparisonFolder) -> tuple[Request, HeldOut | None]:
    """Return the request with validation text for all runs, held out from the training text if none is named."""
    base = make_run(request.values, request.overrides, folder=request.folder, origin=request.origin)
    run, held = with_validation_text(base, folder.folder, reuse=folder.exists)
    if held is None:
        return request, None
    data = run.data.model_dump(mode="json", exclude_none=True)
    overrides = [
        f"data.{key}={data[key] if isinstance(data[key], str) else toml_value(data[key])}"
        for key in ("valid_source", "valid_target", "validation", "exclude_validation")
        if data.get(key)
    ]
    return replace(request, overrides=[*request.overrides, *overrides]), held


def _train(
    folder: ComparisonFolder, plan: Plan, test_source: Path, tag: str, say: Callable[[str], None]
) -> Circumstances:
    """Execute the runs that have no result yet."""
    files = {run.name: folder.files(run.name) for run in plan.runs()}
    jobs = [ComparisonJob(name, name, each, test_source, tag, log=each.log) for name, each in files.items()]
    gpus = 0
    if torch.cuda.is_available() and plan.variants[0].run.training.accelerator != "cpu":
        gpus = torch.cuda.device_count()
    parallel = max(1, min(plan.request.jobs or gpus or usable_cores(), len(jobs)))
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    resources = (
        f"on {count_of(gpus, 'GPU')}" if gpus else f"with {threads} thread{'s' * (threads != '1')} each"
    )
    failures = run_missing(
        jobs,
        finished={job.key for job in jobs if job.files.read_result() is not None},
        store=lambda _: None,  # the process stores the result itself
        parallel=parallel,
        gpus=gpus,
        plugins=plan.request.plugins,
        resources=resources,
        say=say,
    )
    return Circumstances(jobs=parallel, failures=failures)
