"""Cost of a search by beam, batch, length and vocabulary, one factor at a time, on one core.

An untrained network of 1+1 LSTM layers of 512 and embeddings of 256 translates random source pieces; every translation is
as long as its source. The other factors keep their base values: beam 5, 64 sentences at a time, 16 pieces, a vocabulary of
8,000. Encoding the source is included, splitting text into pieces is not.
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
    """The factors of a search."""

    beam: int = 5
    batch: int = 64
    length: int = 16
    vocabulary: int = 8_000


BASE = Search()
# The title and the values of each factor.
FACTORS: dict[str, tuple[str, tuple[int, ...]]] = {
    "beam": ("beam size", (1, 2, 5, 10, 20)),
    "batch": ("sentences at a time", (1, 4, 16, 64, 256)),
    "length": ("pieces of source and translation", (12, 16, 32, 64, 128)),
    "vocabulary": ("pieces of the vocabulary", (500, 2_000, 8_000, 32_000)),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="repetitions of each search")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also plot the measurements, as SVG")


def measure(options: argparse.Namespace) -> list[Row]:
    """Measure searches, one factor at a time."""
    import torch

    from nmt_lstm.numerics.memory import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()
    times: dict[tuple[str, str, int], Repeated] = {}
    for precision in PRECISIONS:
        models: dict[int, InferenceModel] = {}
        for factor, (_, values) in FACTORS.items():
            if options.quick:
                values = (values[0], getattr(BASE, factor))
            for value in values:
                search = replace(BASE, **{factor: value})
                if search.vocabulary not in models:
                    models[search.vocabulary] = untrained_model(search.vocabulary, precision)
                call = search_call(models[search.vocabulary], search)
                repeated = seconds(call, repetitions=2 if options.quick else options.repetitions)
                per_sentence = Repeated(tuple(1_000 * each / search.batch for each in repeated.values))
                times[precision, factor, value] = per_sentence
    if options.plot is not None:
        options.plot.write_text(plot(times), encoding="utf-8")
    return [
        Row(f"{precision}, {FACTORS[factor][0]} {value:,}", each.median, "ms/sentence", each.spread(2))
        for (precision, factor, value), each in times.items()
    ]


def untrained_model(vocabulary: int, precision: InferencePrecision) -> InferenceModel:
    """Return an untrained network, ready for search."""
    import torch

    from nmt_lstm.config.schema import ModelSettings
    from nmt_lstm.inference.inference_model import prepare_for_inference
    from nmt_lstm.model.build import build_model
    from nmt_lstm.text.special_pieces import END

    torch.manual_seed(1)
    model = build_model(ModelSettings(), vocabulary, vocabulary).eval()
    # So that every translation reaches its length limit.
    with torch.no_grad():
        model.output_bias[END] = -50.0
    return prepare_for_inference(model, precision).pack()


def search_call(model: InferenceModel, search: Search) -> Callable[[], object]:
    """Return a function that searches a batch."""
    import torch

    from nmt_lstm.batching.batch import source_batch
    from nmt_lstm.config.schema import SearchSettings
    from nmt_lstm.search.beam_search import beam_search
    from nmt_lstm.text.special_pieces import END

    generator = torch.Generator().manual_seed(2)
    shape = (search.batch, search.length)
    pieces = torch.randint(END + 1, search.vocabulary, shape, generator=generator).tolist()
    source = source_batch(pieces)
    # The length limit is this ratio plus 10 pieces.
    ratio = (search.length - 10) / search.length
    settings = SearchSettings(beam_size=search.beam, max_length_ratio=ratio, length_penalty="none")

    def call() -> object:
        return beam_search(model, source, settings, keep_attention=False)

    return call


def plot(times: dict[tuple[str, str, int], Repeated]) -> str:
    """Return an SVG document with a panel for each factor; both scales are logarithmic."""
    from nmt_lstm.lab.report.line_chart import Axis, Panel, Series, chart_file

    highest = max(each.median for each in times.values())
    lowest = min(each.median for each in times.values())
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
        shown = [value for value in values if (PRECISIONS[0], factor, value) in times]
        across = Axis(title, shown[0], shown[-1], [(value, f"{value:,}") for value in shown], log=True)
        series = [
            Series(key, line=points, dots=points)
            for key, precision in enumerate(PRECISIONS)
            for points in [[(value, times[precision, factor, value].median) for value in shown]]
        ]
        panels.append(Panel(title, across, up, series))
    note = (
        f"Untrained network, 1+1 LSTM layers of 512, one core. Factors that are not varied:\n"
        f"beam {BASE.beam}, {BASE.batch} sentences at a time, "
        f"{BASE.length} pieces, a vocabulary of {BASE.vocabulary:,}."
    )
    return chart_file("Cost of a search", note, PRECISIONS, panels, columns=2)
