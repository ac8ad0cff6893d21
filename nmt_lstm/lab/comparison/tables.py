"""The tables of a comparison, for its report and for the terminal."""

from __future__ import annotations

from collections.abc import Callable

from nmt_lstm.evaluation.columns import of_any_size, p_value, signed
from nmt_lstm.evaluation.significance import Interval
from nmt_lstm.lab.comparison.findings import Findings, Pair, VariantFinding
from nmt_lstm.lab.report.table import Column, Table, TableCell, number
from nmt_lstm.training.progress import duration

__all__ = ["cost_table", "curve_table", "length_table", "pair_table", "quality_table", "run_table"]

_VARIANT = Column("variant", label=True)
_MEBIBYTE = 2**20


def quality_table(findings: Findings) -> Table:
    """Return scores with intervals, and the difference of each variant from the best."""
    best = findings.variants[0]
    pairs = {each.name: findings.pair(best.name, each.name) for each in findings.variants[1:]}

    def difference(pair: Pair) -> TableCell:
        return number(
            0.0 - pair.difference,
            signed,
            f"{signed(0.0 - pair.interval.high)} to {signed(0.0 - pair.interval.low)}",
        )

    def against_best(cell: Callable[[Pair], TableCell | str]) -> Callable[[VariantFinding], TableCell | str]:
        return lambda each: cell(pairs[each.name]) if each.name in pairs else ""

    seeds = "sentences and seeds" if all(pair.seeds_counted for pair in findings.pairs) else "sentences alone"
    return Table.of(
        f"{findings.sentences:,} test sentences; means over seeds with 95 % intervals over test sentences; intervals and p values of "
        f"differences from the best account for {seeds}.",
        findings.variants,
        [
            (_VARIANT, lambda each: each.name),
            (
                Column("BLEU", numeric=True, falling=True),
                lambda each: number(each.bleu, ".2f", _range(each.bleu_interval)),
            ),
            (
                Column("chrF", numeric=True, falling=True),
                lambda each: number(each.chrf, ".2f", _range(each.chrf_interval)),
            ),
            (
                Column("BLEU of each seed", numeric=True),
                lambda each: TableCell(" ".join(f"{score:.2f}" for score in each.seed_bleu), quiet=True),
            ),
            (Column("vs best", numeric=True, falling=True), against_best(difference)),
            (
                Column("p", numeric=True, meaning="corrected for the number of pairs (Holm)"),
                against_best(lambda pair: number(pair.p_adjusted, p_value)),
            ),
            (
                Column("verdict"),
                lambda each: (
                    TableCell("best", quiet=True) if each is best else _significant("worse", pairs[each.name])
                ),
            ),
        ],
    )


def pair_table(findings: Findings) -> Table:
    """Return all pairs with intervals and p values."""
    return Table.of(
        "Differences in BLEU with 95 % intervals; p values for test sentences alone, for sentences and seeds, and corrected for the "
        "number of pairs.",
        findings.pairs,
        [
            (Column("pair", label=True), lambda pair: f"{pair.better} over {pair.worse}"),
            (Column("BLEU", numeric=True, falling=True), lambda pair: number(pair.difference, signed)),
            (
                Column("interval", numeric=True),
                lambda pair: f"{signed(pair.interval.low)} to {signed(pair.interval.high)}",
            ),
            (Column("p, sentences", numeric=True), lambda pair: number(pair.p_sentences, p_value)),
            (
                Column("p, with seeds", numeric=True),
                lambda pair: number(pair.p, p_value) if pair.seeds_counted else TableCell("–", pair.p),
            ),
            (Column("p, corrected", numeric=True), lambda pair: number(pair.p_adjusted, p_value)),
            (Column("verdict"), lambda pair: _significant("more than noise", pair)),
        ],
        folded="All pairs" if len(findings.variants) > 2 else "",
    )


def length_table(findings: Findings) -> Table:
    """Return BLEU by source length."""
    return Table(
        f"BLEU by number of source {findings.length_unit}, means over seeds. In groups of few sentences it is mostly chance.",
        [
            Column(findings.length_unit, label=True),
            Column("sentences", numeric=True),
            *(Column(each.name, numeric=True) for each in findings.variants),
        ],
        [
            [buckets[0].label, f"{buckets[0].sentences:,}", *(f"{bucket.bleu:.1f}" for bucket in buckets)]
            for buckets in zip(*(each.buckets for each in findings.variants), strict=True)
        ],
    )


def cost_table(findings: Findings) -> Table:
    """Return size, speed and memory."""
    results = [result for each in findings.variants for result in each.results]
    beams = " or ".join(map(str, sorted({result.beam_size for result in results})))
    columns = [
        (_VARIANT, lambda each: each.name),
        (Column("parameters", numeric=True), lambda each: number(each.planned.parameters, ",")),
        (
            Column("hidden", numeric=True, meaning="width of encoder and decoder layers"),
            lambda each: TableCell(each.planned.hidden, each.planned.run.model.decoder.hidden_size),
        ),
        (Column("updates", numeric=True), lambda each: number(each.training_mean(lambda run: run.steps), ",.0f")),
        (
            Column("training time", numeric=True),
            lambda each: number(each.training_mean(lambda run: run.seconds), duration),
        ),
        (
            Column("training pieces/s", numeric=True, falling=True),
            lambda each: number(each.training_mean(lambda run: run.pieces_per_second), ",.0f"),
        ),
        (Column("sentences/s", numeric=True, falling=True), lambda each: number(each.sentences_per_second, ",.0f")),
        (
            Column("memory, MiB", numeric=True),
            lambda each: number(each.training_mean(lambda run: run.peak_bytes) / _MEBIBYTE, ",.0f"),
        ),
    ]  # fmt: skip
    if any(result.training.device_bytes for result in results):
        columns.append(
            (Column("GPU memory, MiB", numeric=True), lambda each: number(_device_mebibytes(each), ",.0f"))
        )
    return Table.of(
        f"Training pieces are target subwords without padding; validation time is excluded. Sentences are translated with beam "
        f"{beams}, 64 at a time. Memory is the peak of a training process.",
        findings.variants,
        columns,
    )


def curve_table(findings: Findings) -> Table:
    """Return the learning curves as numbers."""
    return Table.of(
        "Validations during training, means over seeds.",
        [(each.name, point) for each in findings.variants for point in each.mean_curve()],
        [
            (_VARIANT, lambda each: each[0]),
            (Column("updates", numeric=True), lambda each: number(each[1].step, ",")),
            (Column("time", numeric=True), lambda each: number(each[1].seconds, duration)),
            (Column("BLEU", numeric=True), lambda each: f"{each[1].bleu:.2f}"),
            (Column("chrF", numeric=True), lambda each: f"{each[1].chrf:.2f}"),
            (Column("loss", numeric=True), lambda each: of_any_size(each[1].loss, 3)),
        ],
        folded="The numbers",
    )


def run_table(findings: Findings) -> Table:
    """Return all runs."""
    rows: list[list[TableCell | str]] = [
        [
            f"{each.planned.variant.slug}-{seed}",
            f"{bleu:.2f}",
            f"{result.training.steps:,}",
            number(result.training.seconds, duration),
            f"{result.training.pieces_per_second:,.0f}",
            f"{result.sentences_per_second:,.0f}",
            result.training.reason,
        ]
        for each in findings.variants
        for seed, result, bleu in zip(each.seeds, each.results, each.seed_bleu, strict=True)
    ]
    titles = ("updates", "time", "training pieces/s", "sentences/s")
    return Table(
        "Each run is a model folder in runs/ that nmt-lstm translate -m can load.",
        [
            Column("run", label=True),
            Column("BLEU", numeric=True, falling=True),
            *(Column(title, numeric=True) for title in titles),
            Column("reason for stopping"),
        ],
        rows,
    )


def _significant(text: str, pair: Pair) -> TableCell:
    return TableCell(text if pair.significant else "within noise", quiet=not pair.significant)


def _range(interval: Interval) -> str:
    return f"{interval.low:.1f} to {interval.high:.1f}"


def _device_mebibytes(each: VariantFinding) -> float:
    return max(result.training.device_bytes or 0 for result in each.results) / _MEBIBYTE
