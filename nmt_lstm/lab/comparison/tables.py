"""The tables of the report, the same for Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.evaluation.columns import p_value, signed
from nmt_lstm.lab.comparison.findings import Findings, VariantFinding
from nmt_lstm.lab.report.table import Column, TableCell
from nmt_lstm.training.progress import duration

__all__ = [
    "ReportTable",
    "cost_table",
    "curve_table",
    "length_table",
    "pair_table",
    "quality_table",
    "run_table",
]

_MEBIBYTE = 2**20


@dataclass(frozen=True)
class ReportTable:
    """A table with what it shows."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[TableCell | str]]
    folded: str = ""
    """The line under which a page hides it until it is asked for; empty where it is shown."""


def quality_table(findings: Findings) -> ReportTable:
    """Return scores with intervals, and how each variant stands to the best."""
    best = findings.variants[0]
    rows: list[list[TableCell | str]] = []
    for each in findings.variants:
        if each is best:
            against: tuple[TableCell | str, ...] = ("", "", TableCell("best", quiet=True))
        else:
            pair = findings.pair(best.name, each.name)
            against = (
                TableCell(
                    signed(0.0 - pair.difference),
                    sort=-pair.difference,
                    note=f"{signed(-pair.high)} to {signed(-pair.low)}",
                ),
                TableCell(p_value(pair.p_adjusted), sort=pair.p_adjusted),
                "worse" if pair.shown else TableCell("within noise", quiet=True),
            )
        low, high = each.bleu_interval.low, each.bleu_interval.high
        rows.append(
            [
                each.name,
                TableCell(f"{each.bleu:.2f}", sort=each.bleu, note=f"{low:.1f} to {high:.1f}"),
                TableCell(
                    f"{each.chrf:.2f}",
                    sort=each.chrf,
                    note=f"{each.chrf_interval.low:.1f} to {each.chrf_interval.high:.1f}",
                ),
                TableCell(" ".join(f"{score:.2f}" for score in each.seed_bleu), quiet=True),
                *against,
            ]
        )
    seeds = "sentences and seeds" if all(pair.seeds_counted for pair in findings.pairs) else "sentences alone"
    return ReportTable(
        f"{findings.sentences:,} test sentences; means over seeds, with 95 % intervals over test sentences; differences to the "
        f"best with intervals and p by {seeds}.",
        [
            Column("variant", label=True),
            Column("BLEU", numeric=True, falling=True),
            Column("chrF", numeric=True, falling=True),
            Column("BLEU of each seed", numeric=True),
            Column("to the best", numeric=True, falling=True),
            Column("p", numeric=True, meaning="corrected for the number of pairs (Holm)"),
            Column("that is"),
        ],
        rows,
    )


def pair_table(findings: Findings) -> ReportTable:
    """Return all pairs with their intervals and p values."""
    rows: list[list[TableCell | str]] = [
        [
            f"{pair.better} over {pair.worse}",
            TableCell(signed(pair.difference), sort=pair.difference),
            f"{signed(pair.low)} to {signed(pair.high)}",
            TableCell(p_value(pair.p_sentences), sort=pair.p_sentences),
            TableCell(p_value(pair.p) if pair.seeds_counted else "–", sort=pair.p),
            TableCell(p_value(pair.p_adjusted), sort=pair.p_adjusted),
            "more than noise" if pair.shown else TableCell("within noise", quiet=True),
        ]
        for pair in findings.pairs
    ]
    return ReportTable(
        "Differences in BLEU, with 95 % intervals; p by test sentences alone, with seeds, and corrected for the number of pairs.",
        [
            Column("pair", label=True),
            Column("BLEU", numeric=True, falling=True),
            Column("interval", numeric=True),
            Column("p, sentences", numeric=True),
            Column("p, with seeds", numeric=True),
            Column("p, corrected", numeric=True),
            Column("that is"),
        ],
        rows,
        folded="All pairs" if len(findings.variants) > 2 else "",
    )


def length_table(findings: Findings) -> ReportTable:
    """Return BLEU by the length of the source."""
    columns = [
        Column(findings.length_unit, label=True),
        Column("sentences", numeric=True),
        *(Column(each.name, numeric=True) for each in findings.variants),
    ]
    rows: list[list[TableCell | str]] = [
        [buckets[0].label, f"{buckets[0].sentences:,}", *(f"{bucket.bleu:.1f}" for bucket in buckets)]
        for buckets in zip(*(each.buckets for each in findings.variants), strict=True)
    ]
    return ReportTable(
        f"BLEU of the sentences whose source has so many {findings.length_unit}; means over seeds. Of few sentences it is "
        f"mostly chance.",
        columns,
        rows,
    )


def cost_table(findings: Findings) -> ReportTable:
    """Return size, speed and memory."""
    gpu = any(result.training.device_bytes for each in findings.variants for result in each.results)
    rows: list[list[TableCell | str]] = [
        [
            each.name,
            TableCell(f"{each.planned.parameters:,}", sort=each.planned.parameters),
            TableCell(each.planned.hidden, sort=each.planned.run.model.decoder.hidden_size),
            TableCell(f"{each.mean('steps'):,.0f}", sort=each.mean("steps")),
            TableCell(duration(each.mean("seconds")), sort=each.mean("seconds")),
            TableCell(f"{each.mean('pieces_per_second'):,.0f}", sort=each.mean("pieces_per_second")),
            TableCell(f"{each.sentences_per_second:,.0f}", sort=each.sentences_per_second),
            TableCell(f"{each.mean('peak_bytes') / _MEBIBYTE:,.0f}", sort=each.mean("peak_bytes")),
            *([TableCell(_device_memory(each))] if gpu else []),
        ]
        for each in findings.variants
    ]
    beams = {result.beam_size for each in findings.variants for result in each.results}
    beam = " or ".join(str(size) for size in sorted(beams))
    return ReportTable(
        f"Training pieces are subwords of the target, padding not counted, validations left out. Sentences are translated "
        f"at beam {beam}, 64 at a time. Memory is the most that a training process held.",
        [
            Column("variant", label=True),
            Column("parameters", numeric=True),
            Column("hidden", numeric=True, meaning="width of encoder and decoder layers"),
            Column("updates", numeric=True),
            Column("training time", numeric=True),
            Column("training pieces/s", numeric=True, falling=True),
            Column("sentences/s", numeric=True, falling=True),
            Column("memory, MiB", numeric=True),
            *([Column("GPU memory, MiB", numeric=True)] if gpu else []),
        ],
        rows,
    )


def curve_table(findings: Findings) -> ReportTable:
    """Return the learning curves as numbers."""
    rows: list[list[TableCell | str]] = [
        [
            each.name,
            TableCell(f"{point.step:,}", sort=point.step),
            TableCell(duration(point.seconds), sort=point.seconds),
            f"{point.bleu:.2f}",
            f"{point.chrf:.2f}",
            f"{point.loss:.3f}",
        ]
        for each in findings.variants
        for point in each.mean_curve()
    ]
    return ReportTable(
        "Validations during training, means over seeds.",
        [
            Column("variant", label=True),
            Column("updates", numeric=True),
            Column("time", numeric=True),
            Column("BLEU", numeric=True),
            Column("chrF", numeric=True),
            Column("loss", numeric=True),
        ],
        rows,
        folded="The numbers",
    )


def run_table(findings: Findings) -> ReportTable:
    """Return every run."""
    rows: list[list[TableCell | str]] = [
        [
            f"{each.planned.variant.slug}-{seed}",
            f"{bleu:.2f}",
            f"{result.training.steps:,}",
            TableCell(duration(result.training.seconds), sort=result.training.seconds),
            f"{result.training.pieces_per_second:,.0f}",
            f"{result.sentences_per_second:,.0f}",
            result.training.reason,
        ]
        for each in findings.variants
        for seed, result, bleu in zip(each.seeds, each.results, each.seed_bleu, strict=True)
    ]
    return ReportTable(
        "Each run is a model folder below runs/, which nmt-lstm translate -m takes.",
        [
            Column("run", label=True),
            Column("BLEU", numeric=True, falling=True),
            Column("updates", numeric=True),
            Column("time", numeric=True),
            Column("training pieces/s", numeric=True),
            Column("sentences/s", numeric=True),
            Column("stopped because"),
        ],
        rows,
    )


def _device_memory(each: VariantFinding) -> str:
    sizes = [result.training.device_bytes or 0 for result in each.results]
    return f"{max(sizes) / _MEBIBYTE:,.0f}"
