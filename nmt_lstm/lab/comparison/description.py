"""The report of a comparison, section by section, and its forms as Markdown and JSON."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import nmt_lstm
from nmt_lstm.lab.comparison.findings import Findings
from nmt_lstm.lab.comparison.plan import Plan
from nmt_lstm.lab.comparison.tables import (
    cost_table,
    curve_table,
    length_table,
    pair_table,
    quality_table,
    run_table,
)
from nmt_lstm.lab.comparison.verdict import Circumstances, Verdict
from nmt_lstm.lab.report.table import Table, escape_markdown
from nmt_lstm.plain_text import joined_names

__all__ = ["Report", "Section", "json_values", "markdown_report", "sections_of", "text_line", "title_of"]

_MAX_NAMES_IN_TITLE = 6

_SCORES = (
    "The score of a variant is the mean corpus score of its seeds. The test sentences are drawn with replacement {resamples:,} "
    "times, the same ones for all runs; in each draw every seed is scored and the mean taken. This gives the intervals of the "
    "scores and, for each pair, those of the difference (paired bootstrap, Koehn 2004)."
)
_SEEDS = (
    "To each drawn difference, a draw of the seed effect is added: from Student's t distribution, scaled by the pooled "
    "standard deviation between the seeds of both variants over the square root of their number. A difference thus counts "
    "only if neither different sentences nor different seeds would be likely to reverse it."
)
_ONE_SEED = "With one seed, only the sentences are drawn: the effect of different seeds is unknown."
_P_VALUES = "p values are corrected for the number of pairs (Holm 1979); below 0.05, a difference is called more than noise."
_CURVES = (
    "Learning curves show greedy translations of the validation text by the weights at that point. The scores above are those "
    "of the finished models (best or averaged weights, beam search) on the test text."
)


@dataclass(frozen=True)
class Report:
    """Everything that a report is made from."""

    plan: Plan
    findings: Findings
    verdict: Verdict
    circumstances: Circumstances


@dataclass(frozen=True)
class Section:
    """A section of the report, the same in Markdown and HTML."""

    anchor: str
    heading: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    facts: Sequence[tuple[str, str]] = ()


def sections_of(report: Report) -> list[Section]:
    """Return the sections below the headline."""
    findings, failures = report.findings, report.circumstances.failures
    pairs = [pair_table(findings)] if findings.pairs else []
    failed = [f"{name}: {reason}" for name, reason in failures.items()]
    return [
        Section("trust", "How far to trust this", list(report.verdict.cautions.values())),
        Section("quality", "Quality", tables=[quality_table(findings), *pairs]),
        Section("curves", "Learning curves", tables=[curve_table(findings)]),
        Section("cost", "Cost", tables=[cost_table(findings)]),
        Section("length", "BLEU by source length", tables=[length_table(findings)]),
        Section("runs", "Runs", tables=[run_table(findings)]),
        *([Section("failed", "Failed runs", failed)] if failed else []),
        Section("method", "Method", _method(report), facts=_facts(report)),
    ]


def title_of(plan: Plan) -> str:
    """Return the question that a comparison answers."""
    names = [planned.variant.name for planned in plan.variants]
    factors = " and ".join(factor.name for factor in plan.request.factors)
    if len(names) > _MAX_NAMES_IN_TITLE:
        return f"{len(names)} variants of {factors}"
    return f"{factors[0].upper()}{factors[1:]}: {joined_names(names, 'or')}?"


def text_line(report: Report) -> str:
    """Return a line about the training text and the test text."""
    request, data = report.plan.request, report.plan.variants[0].run.data
    languages = f", {data.source_language} to {data.target_language}" if data.source_language else ""
    sentences = f"{report.findings.sentences:,}"
    if request.synthetic:
        return f"The built-in corpus{languages}; {sentences} test sentences."
    kind = "validation" if request.test_source is None else "test"
    source = request.test_source or data.validation_sets()[0].sides()[0][0]
    names = [path.name for corpus in data.training_corpora() for path in corpus.sides()[0]]
    text = joined_names(names) if len(names) < _MAX_NAMES_IN_TITLE else f"{len(names)} files"
    return f"Trained on {text}{languages}; scored on {sentences} {kind} sentences ({source.name})."


def markdown_report(report: Report) -> str:
    """Return the report as Markdown; learning curves are tables of numbers, which the web page plots."""
    parts = [f"# {escape_markdown(title_of(report.plan))}", f"**{escape_markdown(report.verdict.headline)}**"]
    for section in sections_of(report):
        parts += [
            f"## {section.heading}",
            "\n".join(f"- {escape_markdown(sentence)}" for sentence in section.sentences),
            *(f"{escape_markdown(table.caption)}\n\n{table.markdown()}" for table in section.tables),
            "\n".join(f"- {name}: {escape_markdown(value)}" for name, value in section.facts),
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def json_values(report: Report) -> dict[str, Any]:
    """Return the findings as JSON values."""
    findings = report.findings
    return {
        "title": title_of(report.plan),
        "headline": report.verdict.headline,
        "match": report.plan.request.match.words(),
        "seeds": list(report.plan.request.seeds),
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
                "training_seconds": each.training_mean(lambda run: run.seconds),
                "training_pieces_per_second": each.training_mean(lambda run: run.pieces_per_second),
                "sentences_per_second": each.sentences_per_second,
                "peak_bytes": each.training_mean(lambda run: run.peak_bytes),
                "bleu_by_length": {bucket.label: bucket.bleu for bucket in each.buckets},
                "curve": [point.model_dump() for point in each.mean_curve()],
            }
            for each in findings.variants
        ],
        "pairs": [
            {
                "better": pair.better,
                "worse": pair.worse,
                "difference": pair.difference,
                "low": pair.interval.low,
                "high": pair.interval.high,
                "p_sentences": pair.p_sentences,
                "p": pair.p,
                "p_adjusted": pair.p_adjusted,
                "seeds_counted": pair.seeds_counted,
                "more_than_noise": pair.significant,
            }
            for pair in findings.pairs
        ],
        "failures": report.circumstances.failures,
    }


def _facts(report: Report) -> list[tuple[str, str]]:
    request = report.plan.request
    training = [result.training for each in report.findings.variants for result in each.results]
    devices = joined_names(sorted({each.device for each in training}))
    if devices == "CPU":
        threads = joined_names([str(count) for count in sorted({each.threads for each in training})], "or")
        devices = f"{platform.machine()}, {threads} thread(s) for each run"
    versions = [
        f"nmt-lstm {nmt_lstm.__version__}",
        *(f"{name} {metadata.version(name)}" for name in ("torch", "sacrebleu")),
        f"Python {platform.python_version()}",
    ]
    return [
        ("text", text_line(report)),
        ("varied", "; ".join(f"{factor.name}: {', '.join(factor.values)}" for factor in request.factors)),
        ("seeds", ", ".join(map(str, request.seeds))),
        ("matched by", request.match.words()),
        ("trained on", f"{devices}; {report.circumstances.jobs} run(s) at a time"),
        ("versions", ", ".join(versions)),
        ("BLEU", report.findings.bleu_signature),
        ("chrF", report.findings.chrf_signature),
        ("command", request.command),
    ]


def _method(report: Report) -> list[str]:
    findings = report.findings
    seeds = _SEEDS if any(pair.seeds_counted for pair in findings.pairs) else _ONE_SEED
    scores = _SCORES.format(resamples=findings.resamples)
    return [*report.plan.describe(), scores, seeds, _P_VALUES, _CURVES]
