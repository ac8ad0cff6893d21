"""A whole comparison: plan, runs, findings, report."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nmt_lstm.config.load import make_run
from nmt_lstm.errors import ResourceError
from nmt_lstm.evaluation.scores import chosen_tokenizer
from nmt_lstm.lab.comparison.description import Report, title_of
from nmt_lstm.lab.comparison.factors import Factor
from nmt_lstm.lab.comparison.findings import Findings, FinishedRun, TestText, find
from nmt_lstm.lab.comparison.folder import ComparisonFolder, digest_of, write_text
from nmt_lstm.lab.comparison.html import web_page
from nmt_lstm.lab.comparison.job import ComparisonJob
from nmt_lstm.lab.comparison.markdown import markdown_report
from nmt_lstm.lab.comparison.matching import Match
from nmt_lstm.lab.comparison.plan import Plan, make_plan
from nmt_lstm.lab.comparison.verdict import Circumstances, Verdict, give_verdict
from nmt_lstm.lab.experiment.execution import do_missing
from nmt_lstm.numerics.threads import usable_cores
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.held_out import HeldOut, with_validation_text

__all__ = ["ComparisonResult", "Request", "compare"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What is to be compared."""

    values: Mapping[str, Any]
    """The run file."""
    factors: Sequence[Factor]
    seeds: Sequence[int]
    match: Match
    overrides: Sequence[str] = ()
    """As of ``--set``, for all runs."""
    folder: Path | None = None
    """Where relative paths of the run file start."""
    origin: str = "settings"
    """Of the run file, for messages."""
    test_source: Path | None = None
    test_target: Path | None = None
    """What the finished models translate; None is the validation text."""
    plugins: Sequence[Path] = ()
    """Plugin files; they are loaded already."""
    made_up_text: bool = False
    """Whether the text comes from a grammar."""
    jobs: int = 0
    """Runs at a time; 0 is one for each GPU, else for each core."""
    command: str = ""
    """What was typed, for the report."""


@dataclass(frozen=True)
class ComparisonResult:
    """What it came to."""

    plan: Plan
    findings: Findings
    verdict: Verdict
    failures: dict[str, str]
    """Why runs failed, by name."""
    markdown: Path
    html: Path


def compare(request: Request, output: Path, *, say: Callable[[str], None] = logger.info) -> ComparisonResult:
    """Train all variants with all seeds, compare them, and write ``report.md``, ``report.html`` and ``report.json``.

    Runs that have come to their end are not done again, and those that were interrupted go on from their checkpoints.

    Args:
        request: what is to be compared.
        output: the folder: new, empty, or that of a comparison of the same settings.
        say: told in words what happens.

    Raises:
        ConfigurationError: settings are wrong, cannot be matched, or are others than those in the folder.
        PluginError: a part is unknown.
        DataError: a text cannot be used, or a record is damaged.
        ResourceError: all runs failed, or the folder cannot be written.
        TrainingInterrupted: a signal came; the same command goes on.
    """
    files = ComparisonFolder(output)
    overrides, held = _with_validation_text(request, files)
    with nullcontext() if held is None or files.has_begun else held.placed():
        if held is not None:
            say(held.describe())
        plan = make_plan(
            request.values,
            request.factors,
            overrides=overrides,
            seeds=request.seeds,
            match=request.match,
            folder=request.folder,
            origin=request.origin,
            on_progress=say,
        )
    base = plan.variants[0].run
    valid_source, valid_target = base.data.validation_text()
    test_source, test_target = request.test_source or valid_source, request.test_target or valid_target
    pairs = list(read_parallel(test_source, test_target))
    tokenize = chosen_tokenizer(base.data.tokenize, base.data.target_language)
    text = TestText(
        [source for source, _ in pairs], [target for _, target in pairs], base.data.source_language, tokenize
    )
    with files.alone():
        files.begin(
            plan,
            identity={
                "test text": digest_of([test_source, test_target]),
                "plugin file": digest_of(request.plugins) if request.plugins else "none",
            },
        )
        for line in plan.describe():
            say(line)
        failures, jobs = _run(files, plan, request, test_source, say)
        runs = [
            FinishedRun(run.variant, run.seed, result, files.files(run.name).read_translations(result))
            for run in plan.runs()
            if (result := files.files(run.name).read_result()) is not None
        ]
        if not runs:
            first = next(iter(failures.items()))
            raise ResourceError(
                f"all {len(failures)} runs failed; the first ({first[0]}): {first[1].rstrip('.')}. Fix the cause and rerun the same command."
            )
        findings = find(plan, runs, text)
        circumstances = Circumstances(
            made_up_text=request.made_up_text,
            tested_on_validation=request.test_source is None,
            jobs=jobs,
            failures=failures,
        )
        verdict = give_verdict(findings, plan, circumstances)
        report = Report(
            plan,
            findings,
            verdict,
            circumstances,
            request.command,
            _text_words(request, plan, test_source, len(pairs)),
        )
        markdown, html = output / "report.md", output / "report.html"
        write_text(markdown, markdown_report(report))
        write_text(html, web_page(report))
        write_text(output / "report.json", json.dumps(_numbers(report), indent=2) + "\n")
    return ComparisonResult(plan, findings, verdict, failures, markdown, html)


def _with_validation_text(request: Request, files: ComparisonFolder) -> tuple[list[str], HeldOut | None]:
    """Return the overrides for all runs; where no validation text is named, they name what is held out for all of them."""
    base = make_run(request.values, request.overrides, folder=request.folder, origin=request.origin)
    run, held = with_validation_text(base, files.folder, reuse=files.has_begun)
    if held is None:
        return [*request.overrides], None
    source, target = run.data.validation_text()
    named = [f"data.valid_source={source}", f"data.valid_target={target}", "data.exclude_validation=true"]
    return [*request.overrides, *named], held


def _run(
    files: ComparisonFolder, plan: Plan, request: Request, test_source: Path, say: Callable[[str], None]
) -> tuple[dict[str, str], int]:
    """Do the runs that are not done; return why the failed ones failed, and how many ran at a time."""
    places = {run.name: files.files(run.name) for run in plan.runs()}
    jobs = [ComparisonJob(name, name, place, test_source, log=place.log) for name, place in places.items()]
    gpus = 0
    if torch.cuda.is_available() and plan.variants[0].run.training.accelerator != "cpu":
        gpus = torch.cuda.device_count()
    at_once = max(1, min(request.jobs or gpus or usable_cores(), len(jobs)))
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    where = (
        f"on {gpus} GPU{'s' * (gpus > 1)}" if gpus else f"of {threads} thread{'s' * (threads != '1')} each"
    )
    failures = do_missing(
        jobs,
        done={job.key for job in jobs if job.files.read_result() is not None},
        keep=lambda _: None,  # the process has recorded it
        at_once=at_once,
        gpus=gpus,
        plugins=request.plugins,
        where=where,
        say=say,
    )
    return failures, at_once


def _text_words(request: Request, plan: Plan, test_source: Path, sentences: int) -> str:
    data = plan.variants[0].run.data
    languages = f", {data.source_language} to {data.target_language}" if data.source_language else ""
    if request.made_up_text:
        return f"The built-in corpus{languages}; {sentences:,} test sentences."
    kind = "validation" if request.test_source is None else "test"
    return f"Trained on {data.train_source.name}{languages}; scored on {sentences:,} {kind} sentences ({test_source.name})."


def _numbers(report: Report) -> dict[str, Any]:
    """Return the findings for programs."""
    findings = report.findings
    return {
        "title": title_of(report.plan),
        "headline": report.verdict.headline,
        "match": report.plan.match.words(),
        "seeds": list(report.plan.seeds),
        "signatures": {"bleu": findings.bleu_signature, "chrf": findings.chrf_signature},
        "variants": [
            {
                "name": each.name,
                "settings": list(each.planned.variant.overrides),
                "parameters": each.planned.parameters,
                "bleu": each.bleu,
                "bleu_interval": [each.bleu_interval.low, each.bleu_interval.high],
                "chrf": each.chrf,
                "bleu_of_seeds": dict(zip(map(str, each.seeds), each.seed_bleu, strict=True)),
                "training_seconds": each.mean("seconds"),
                "training_pieces_per_second": each.mean("pieces_per_second"),
                "sentences_per_second": each.sentences_per_second,
                "peak_bytes": each.mean("peak_bytes"),
                "bleu_by_length": {bucket.label: bucket.bleu for bucket in each.buckets},
                "curve": [point.model_dump() for point in each.mean_curve()],
            }
            for each in findings.variants
        ],
        "pairs": [{**vars(pair), "more_than_noise": pair.shown} for pair in findings.pairs],
        "failures": report.circumstances.failures,
    }
