"""What a report says of how the comparison was made: text, machine, matching, statistics."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

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
from nmt_lstm.lab.comparison.verdict import Circumstances, Verdict, joined_names
from nmt_lstm.lab.report.table import Table

__all__ = ["Report", "Section", "facts_of", "method_of", "sections_of", "title_of"]

_MOST_IN_TITLE = 6


@dataclass(frozen=True)
class Report:
    """All that a report is made of."""

    plan: Plan
    findings: Findings
    verdict: Verdict
    circumstances: Circumstances
    command: str
    """What was typed."""
    text: str
    """What was trained on and tested on, in words."""


@dataclass(frozen=True)
class Section:
    """A part of the report, the same for Markdown and HTML."""

    anchor: str
    heading: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    facts: Sequence[tuple[str, str]] = ()


def sections_of(report: Report) -> list[Section]:
    """Return all that a report says below its headline."""
    findings, failures = report.findings, report.circumstances.failures
    pairs = [pair_table(findings)] if findings.pairs else []
    found = [
        Section("trust", "How far to trust this", list(report.verdict.cautions.values())),
        Section("quality", "Quality", tables=[quality_table(findings), *pairs]),
        Section("curves", "Learning curves", tables=[curve_table(findings)]),
        Section("cost", "Cost", tables=[cost_table(findings)]),
        Section("length", "BLEU by length of the source", tables=[length_table(findings)]),
        Section("runs", "Runs", tables=[run_table(findings)]),
    ]
    if failures:
        found.append(
            Section("failed", "Failed runs", [f"{name}: {reason}" for name, reason in failures.items()])
        )
    return [*found, Section("method", "How it was done", method_of(report), facts=facts_of(report))]


def title_of(plan: Plan) -> str:
    """Return the question that a comparison answers."""
    names = [planned.variant.name for planned in plan.variants]
    what = " and ".join(factor.name for factor in plan.factors)
    if len(names) > _MOST_IN_TITLE:
        return f"{len(names)} variants of {what}"
    return f"{what[0].upper()}{what[1:]}: {joined_names(names, 'or')}?"


def facts_of(report: Report) -> list[tuple[str, str]]:
    """Return names and values of what the comparison was made with."""
    results = [result for each in report.findings.variants for result in each.results]
    devices = sorted({result.training.device for result in results})
    threads = sorted({result.training.threads for result in results})
    device = joined_names(devices)
    if devices == ["CPU"]:
        device = f"{platform.machine()}, {joined_names([str(count) for count in threads], 'or')} thread(s) for each run"
    versions = [
        f"nmt-lstm {nmt_lstm.__version__}",
        *(f"{name} {metadata.version(name)}" for name in ("torch", "sacrebleu")),
        f"Python {platform.python_version()}",
    ]
    return [
        ("text", report.text),
        ("varied", "; ".join(f"{factor.name}: {', '.join(factor.values)}" for factor in report.plan.factors)),
        ("seeds", ", ".join(map(str, report.plan.seeds))),
        ("matched by", report.plan.match.words()),
        ("trained on", f"{device}; {report.circumstances.jobs} run(s) at a time"),
        ("versions", ", ".join(versions)),
        ("BLEU", report.findings.bleu_signature),
        ("chrF", report.findings.chrf_signature),
        ("command", report.command),
    ]


def method_of(report: Report) -> list[str]:
    """Return how variants were matched and how significance was found, in sentences."""
    plan, findings = report.plan, report.findings
    pooled = (
        f"A variant's score is the mean of its seeds' corpus scores. The test sentences are drawn with replacement "
        f"{findings.resamples:,} times, the same ones for all runs; in each draw every seed is scored and the mean taken, "
        f"which gives the intervals of the scores, and by pairs those of the differences (paired bootstrap, Koehn 2004)."
    )
    seeds = (
        "To each drawn difference, a draw of what other seeds might change is added: from Student's t distribution, scaled "
        "by the standard deviation between seeds of the two variants (pooled) over the root of their number. So a "
        "difference counts only if neither other sentences nor other seeds would be likely to undo it."
        if any(pair.seeds_counted for pair in findings.pairs)
        else "With one seed, only the sentences are drawn: nothing is known of what other seeds would change."
    )
    holm = "p values are corrected for the number of pairs (Holm 1979); below 0.05 a difference is called more than noise."
    curves = (
        "Learning curves are of the validation text: greedy translations by the weights as they were. The scores above are "
        "of the finished models (the best or averaged weights, beam search) on the test text."
    )
    return [*plan.describe(), pooled, seeds, holm, curves]
