"""Scaling of training: speed by number of processes, peak memory by corpus size and network size."""

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
# Settings whose defaults depend on the number of pairs.
FIXED = {
    "training.batch_pieces": "2000",
    "model.dropout": "0.3",
    "model.encoder.layers": "1",
    "model.decoder.layers": "1",
}
# By name: processes, threads of each, and target pieces per step in total.
TRAININGS = {
    "1 process": (1, 1, 2_000),
    "1 process of 2 threads": (1, 2, 2_000),
    "2 processes, sharing each step": (2, 1, 2_000),
    "2 processes, twice the step": (2, 1, 4_000),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--steps", type=int, default=150, metavar="N", help="steps of each training run")
    parser.add_argument(
        "--repetitions", type=int, default=3, metavar="N", help="repetitions of the speeds, alternating"
    )
    parser.add_argument(
        "--largest",
        type=int,
        default=1_000_000,
        metavar="LINES",
        help="largest generated corpus; the smallest has 10,000",
    )


def measure(options: argparse.Namespace) -> list[Row]:
    """Train with one and two processes, on corpora of increasing size, and with networks of increasing size."""
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
            rows.append(memory(f"{lines:,} lines", cost.peak_bytes, "text preparation and at most 20 steps"))
            lines *= 10
        for size in SIZES[:1] if quick else SIZES:
            widths = FIXED | {f"model.{side}.hidden_size": str(size) for side in ("encoder", "decoder")}
            cost = train(text, folder / f"size-{size}", min(steps, 50), **widths)
            rows.append(memory(f"hidden size {size:,}", cost.peak_bytes, f"{text.name}, at most 50 steps"))
    return rows


def speeds(text: Text, folder: Path, steps: int, repetitions: int) -> list[Row]:
    """Return the speeds by number of processes and threads, as medians of alternating runs and of their ratios."""
    values_of: dict[str, list[float]] = {name: [] for name in TRAININGS}
    for repetition in range(repetitions):
        for name, (processes, threads, pieces) in TRAININGS.items():
            run_folder = folder / f"{name}-{repetition}".replace(" ", "-")
            settings = {
                "training.devices": str(processes),
                "training.strategy": "auto" if processes == 1 else "ddp",
                "training.accelerator": "cpu",
                "training.batch_pieces": str(pieces),
                # All runs share the prepared text.
                "data.prepared": str(folder / "prepared"),
            }
            train(text, run_folder, steps, threads=threads, **settings)
            values_of[name].append(logged_speed(run_folder / "model"))
    counted = f"{steps} steps on {text.name}; median of {repetitions}, alternating"
    rows = [
        Row(f"training, {name}", statistics.median(values), "target pieces/s", counted)
        for name, values in values_of.items()
    ]
    (first, one), *others = values_of.items()
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
    """Return the last speed in the log of a training run, for all processes together."""
    (log,) = model.glob("logs/**/metrics.csv")
    with log.open(encoding="utf-8", newline="") as stream:
        speeds = [row["target_pieces_per_second"] for row in csv.DictReader(stream)]
    return float([speed for speed in speeds if speed][-1])


def repeated(text: Text, folder: Path, lines: int) -> Text:
    """Return a text of `lines` lines that repeats the training text."""
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
    """Return a row of peak memory."""
    return Row(f"peak memory, {what}", peak / MEBIBYTE, "MiB", counted)
