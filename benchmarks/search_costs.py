"""What a search costs against beam, batch, length and vocabulary, one at a time, on one core.

An untrained network of 1+1 LSTM layers of 512 and embeddings of 256 searches random source pieces; every translation is
made as long as its source. Everything else is that of the base: beam 5, 64 sentences at once, 16 pieces, a vocabulary of
8,000. Reading the source is counted, cutting text into pieces is not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from report import Row
from timing import Repeated, seconds

if TYPE_CHECKING:
    from nmt_lstm.inference.inference_model import InferenceModel
    from nmt_lstm.numerics.inference_linear import InferencePrecision

PRECISIONS: tuple[InferencePrecision, ...] = ("float32", "bf16", "int8")


@dataclass(frozen=True)
class Search:
    """What is varied."""

    beam: int = 5
    batch: int = 64
    length: int = 16
    vocabulary: int = 8_000


BASE = Search()
# Factor: its title, and its values.
FACTORS: dict[str, tuple[str, tuple[int, ...]]] = {
    "beam": ("beam size", (1, 2, 5, 10, 20)),
    "batch": ("sentences at once", (1, 4, 16, 64, 256)),
    "length": ("pieces of source and translation", (12, 16, 32, 64, 128)),
    "vocabulary": ("pieces of the vocabulary", (500, 2_000, 8_000, 32_000)),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="of each search")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw the figures, as SVG")


def measure(options: argparse.Namespace) -> list[Row]:
    """Time searches, one factor at a time."""
    import torch

    from nmt_lstm.numerics.memory import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()
    found: dict[tuple[str, str, int], Repeated] = {}
    for precision in PRECISIONS:
        models: dict[int, InferenceModel] = {}
        for factor, (_, values) in FACTORS.items():
            if options.quick:
                values = (values[0], getattr(BASE, factor))
            for value in values:
                search = replace(BASE, **{factor: value})
                if search.vocabulary not in models:
                    models[search.vocabulary] = untrained(search.vocabulary, precision)
                call = prepared(models[search.vocabulary], search)
                spent = seconds(call, repetitions=2 if options.quick else options.repetitions)
                each = Repeated(tuple(1_000 * value / search.batch for value in spent.values))
                found[precision, factor, value] = each
    if options.plot is not None:
        options.plot.write_text(drawn(found), encoding="utf-8")
    return [
        Row(f"{precision}, {FACTORS[factor][0]} {value:,}", each.median, "ms/sentence", each.spread(2))
        for (precision, factor, value), each in found.items()
    ]


def untrained(vocabulary: int, precision: InferencePrecision) -> InferenceModel:
    """Return a network of the figures' sizes, ready for search."""
    import torch

    from nmt_lstm.config.schema import ModelSettings
    from nmt_lstm.inference.inference_model import prepare_for_inference
    from nmt_lstm.model.build import build_model
    from nmt_lstm.text.special_pieces import END

    torch.manual_seed(1)
    # Its settings are the figures' sizes unless they say otherwise.
    model = build_model(ModelSettings(), vocabulary, vocabulary).eval()
    # So every translation goes on to its limit.
    with torch.no_grad():
        model.output_bias[END] = -50.0
    return prepare_for_inference(model, precision).pack()


def prepared(model: InferenceModel, search: Search) -> Callable[[], object]:
    """Return what searches a batch."""
    import torch

    from nmt_lstm.batching.batch import source_batch
    from nmt_lstm.config.schema import SearchSettings
    from nmt_lstm.search.beam_search import beam_search
    from nmt_lstm.text.special_pieces import END

    generator = torch.Generator().manual_seed(2)
    shape = (search.batch, search.length)
    pieces = torch.randint(END + 1, search.vocabulary, shape, generator=generator).tolist()
    source = source_batch(pieces)
    # The limit is this ratio and 10 pieces more.
    ratio = (search.length - 10) / search.length
    settings = SearchSettings(beam_size=search.beam, max_length_ratio=ratio, length_penalty="none")

    def call() -> object:
        # Its precision is inside.
        return beam_search(model, source, settings, keep_attention=False)

    return call


def drawn(found: dict[tuple[str, str, int], Repeated]) -> str:
    """Return the figures as an SVG document, a panel for each factor, both scales logarithmic."""
    from nmt_lstm.lab.report.line_chart import Axis, Panel, Series, chart_file

    highest = max(each.median for each in found.values())
    lowest = min(each.median for each in found.values())
    decades = [10.0**power for power in range(-3, 5)]
    low = max(mark for mark in decades if mark <= lowest)
    high = min(mark for mark in decades if mark >= highest)
    up = Axis(
        "ms per sentence",
        low,
        high,
        [(mark, f"{mark:g}") for mark in decades if low <= mark <= high],
        log=True,
    )
    panels = []
    for factor, (title, values) in FACTORS.items():
        shown = [value for value in values if (PRECISIONS[0], factor, value) in found]
        across = Axis(title, shown[0], shown[-1], [(value, f"{value:,}") for value in shown], log=True)
        series = [
            Series(key, line=points, dots=points)
            for key, precision in enumerate(PRECISIONS)
            for points in [[(value, found[precision, factor, value].median) for value in shown]]
        ]
        panels.append(Panel(title, across, up, series))
    note = (
        f"Untrained network, 1+1 LSTM layers of 512, one core. What is not varied:\n"
        f"beam {BASE.beam}, {BASE.batch} sentences at once, "
        f"{BASE.length} pieces, a vocabulary of {BASE.vocabulary:,}."
    )
    return chart_file("What a search costs", note, PRECISIONS, panels, columns=2)
