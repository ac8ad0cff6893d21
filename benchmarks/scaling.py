"""How training grows: pieces per second with processes, peak memory with the corpus and with the network."""

from __future__ import annotations

import argparse
import csv
import itertools
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from processes import train
from report import Row
from text import Text, find_text

MEBIBYTE = 2**20
SIZES = (256, 512, 1024)
# What would else be chosen by the number of pairs.
FIXED = {
    "training.batch_pieces": "2000",
    "model.dropout": "0.3",
    "model.encoder.layers": "1",
    "model.decoder.layers": "1",
}
# Name: processes, threads of each, and target pieces of a step of all of them together.
TRAININGS = {
    "1 process": (1, 1, 2_000),
    "1 process of 2 threads": (1, 2, 2_000),
    "2 processes, sharing each step": (2, 1, 2_000),
    "2 processes, twice the step": (2, 1, 4_000),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--steps", type=int, default=150, metavar="N", help="steps of each training")
    parser.add_argument("--repetitions", type=int, default=3, metavar="N", help="of the speeds, in turn")
    parser.add_argument(
        "--largest",
        type=int,
        default=1_000_000,
        metavar="LINES",
        help="of the generated corpora, from 10,000 on",
    )


def measure(options: argparse.Namespace) -> list[Row]:
    """Train with one and with two processes, on longer and longer text, and in larger and larger networks."""
    text = find_text(options.text)
    quick = options.quick
    steps, repetitions = (6, 1) if quick else (options.steps, options.repetitions)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = speeds(text, folder, steps, repetitions)
        lines = 1_000 if quick else 10_000
        while lines <= (1_000 if quick else options.largest):
            corpus = repeated(text, folder, lines)
            cost = train(corpus, folder / f"lines-{lines}", min(steps, 20), **FIXED)
            rows.append(memory(f"{lines:,} lines", cost.peak_bytes, "text prepared and 20 steps at most"))
            lines *= 10
        for size in SIZES[:1] if quick else SIZES:
            widths = FIXED | {f"model.{side}.hidden_size": str(size) for side in ("encoder", "decoder")}
            cost = train(text, folder / f"size-{size}", min(steps, 50), **widths)
            rows.append(memory(f"hidden size {size:,}", cost.peak_bytes, f"{text.name}, 50 steps at most"))
    return rows


def speeds(text: Text, folder: Path, steps: int, repetitions: int) -> list[Row]:
    """Return the speed of one process of one thread, and of more: medians of what was taken in turn, and of its ratios."""
    found: dict[str, list[float]] = {name: [] for name in TRAININGS}
    for repetition in range(repetitions):
        for name, (processes, threads, pieces) in TRAININGS.items():
            place = folder / f"{name}-{repetition}".replace(" ", "-")
            settings = {
                "training.devices": str(processes),
                "training.strategy": "auto" if processes == 1 else "ddp",
                "training.accelerator": "cpu",
                "training.batch_pieces": str(pieces),
                # The text is prepared once for all.
                "data.prepared": str(folder / "prepared"),
            }
            train(text, place, steps, threads=threads, **settings)
            found[name].append(logged_speed(place / "model"))
    counted = f"{steps} steps on {text.name}; median of {repetitions}, in turn"
    rows = [
        Row(f"training, {name}", statistics.median(values), "target pieces/s", counted)
        for name, values in found.items()
    ]
    (first, one), *others = found.items()
    rows += [
        Row(
            f"  {name}",
            statistics.median(two / single for single, two in zip(one, values, strict=True)),
            f"times {first}",
            f"median of {repetitions} ratios",
        )
        for name, values in others
    ]
    return rows


def logged_speed(model: Path) -> float:
    """Return the last speed that a training wrote into its log, of all processes together."""
    (log,) = model.glob("logs/**/metrics.csv")
    with log.open(encoding="utf-8", newline="") as stream:
        found = [row["target_pieces_per_second"] for row in csv.DictReader(stream)]
    return float([speed for speed in found if speed][-1])


def repeated(text: Text, folder: Path, lines: int) -> Text:
    """Return a text of `lines` lines: the training text over and over."""
    sides = []
    for side in (text.train_source, text.train_target):
        path = folder / f"{lines}{side.suffix}"
        with side.open(encoding="utf-8", newline="\n") as source:
            sentences = source.readlines()
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(itertools.islice(itertools.cycle(sentences), lines))
        sides.append(path)
    return replace(text, train_source=sides[0], train_target=sides[1])


def memory(what: str, peak: int, counted: str) -> Row:
    """Return a figure of peak memory."""
    return Row(f"peak memory, {what}", peak / MEBIBYTE, "MiB", counted)
