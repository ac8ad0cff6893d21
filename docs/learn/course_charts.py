"""The charts of the course, by the program's own line charts and heat maps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nmt_lstm.lab.report.heat_map import LEVELS, SHARE, Block, HeatMap, Picture, Scale, heat_map_file
from nmt_lstm.lab.report.line_chart import Axis, Panel, Reference, Series, chart_file

_PERCENT = [(0.0, "0"), (25.0, "25"), (50.0, "50"), (75.0, "75"), (100.0, "100")]
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_PROBABILITY = Scale(0.0, 1.0, SHARE, ((1.0, "1"), (0.5, "0.5"), (0.0, "0")))


def curves_chart(curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return right answers against updates, a line for each variant; all start from guessing one letter of four."""
    last = max(step for curve in curves.values() for step, _ in curve)
    x = Axis("updates", 0.0, last, [(step, f"{step:,.0f}") for step in (0, 500, 1000) if step <= last])
    y = Axis("right, %", 0.0, 100.0, _PERCENT)
    lines = [Series(number, line=[(0.0, 25.0), *curve]) for number, curve in enumerate(curves.values())]
    return chart_file(
        "When the letter is always 20 to 40 letters away",
        "Right answers to the validation text while the cells learn. 25 % is guessing one of four letters.",
        list(curves),
        [Panel("memory task", x, y, lines, (Reference(25.0, "guessing"),))],
        columns=1,
    )


def attempts_chart(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the largest gradient of each cell against the learning rate, both as powers of ten."""
    lines = []
    largest = 1.0
    for number, record in enumerate(records):
        # A norm that is not finite lies on the upper edge.
        points = [
            (attempt["learning_rate"], attempt["largest_gradient"] or math.inf)
            for attempt in record["attempts"]
        ]
        largest = max([largest, *(value for _, value in points if math.isfinite(value))])
        lines.append(Series(number, line=sorted(points), dots=sorted(points)))
    top = 10.0 ** math.ceil(math.log10(largest))
    powers = range(0, round(math.log10(top)) + 1, max(1, round(math.log10(top) / 5)))
    rates = sorted({point[0] for line in lines for point in line.line})
    x = Axis("learning rate", rates[0], rates[-1], [(rate, f"{rate:g}") for rate in rates], log=True)
    y = Axis(
        "largest norm",
        1.0,
        top,
        [(10.0**power, f"10{str(power).translate(_RAISED)}") for power in powers],
        log=True,
    )
    return chart_file(
        "The largest gradient of 100 training steps without clipping",
        "Adding problem over 100 positions. A point on the upper edge may lie anywhere above it, or be no number.",
        [record["run"]["cell"]["label"] for record in records],
        [Panel("norm of all gradients together", x, y, lines)],
        columns=1,
    )


def lengths_chart(buckets: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return BLEU by the length of the source, a line for each translator."""
    labels = [bucket["label"] for bucket in next(iter(buckets.values()))]
    x = Axis(
        "words of the source", 0.0, len(labels) - 1.0, [(float(at), text) for at, text in enumerate(labels)]
    )
    y = Axis("BLEU", 0.0, 100.0, _PERCENT)
    lines = []
    for number, each in enumerate(buckets.values()):
        points = [(float(at), float(bucket["bleu"])) for at, bucket in enumerate(each)]
        lines.append(Series(number, line=points, dots=points))
    return chart_file(
        "A translator with attention and one without",
        "BLEU of the test sentences by their length. Both have the same LSTM cells and the same training.",
        list(buckets),
        [Panel("built-in corpus", x, y, lines)],
        columns=1,
    )


def probabilities_picture(traces: Sequence[Mapping[str, Any]]) -> str:
    """Return the probability of each piece of some given translations, and of the best piece in its place."""
    blocks = []
    for trace in traces:
        target = trace["target"]
        given = [math.exp(value) for value in target["log_probabilities"]]
        best = [math.exp(row[0]["log_probability"]) for row in target["alternatives"]]
        shades = bytes(round(value * (LEVELS - 1)) for value in (*given, *best))
        columns = [piece.replace("</s>", "⏎").replace("▁", "_") for piece in target["pieces"]]
        favourites = ", ".join(
            f"{row[0]['piece']} ({math.exp(row[0]['log_probability']):.2f})"
            for row, piece in zip(target["alternatives"], target["pieces"], strict=True)
            if row[0]["piece"] != piece
        )
        title = f"{target['text']}   best piece where it is a different one: {favourites or 'none'}"
        rows = ["this piece", "best piece"]
        blocks.append(Block(title, columns, [HeatMap("probability", shades, _PROBABILITY, rows)]))
    return heat_map_file(
        Picture(
            f"{traces[0]['source']['text']} → ?",
            "The probability of each piece of two translations, given all pieces to its left and the source.\n"
            "⏎ is the end of the sentence, _ the beginning of a word.",
            [("", blocks)],
        )
    )
