"""Memory of a long training run: the peak, and growth of the resident memory after the first epoch.

`nmt-lstm train` runs in a process of its own, with the network and batches of the Multi30k recipe, including validations
and checkpoints. Its resident memory is sampled every half second; the step of a sample is interpolated from the log, which
has step and time at the end of each epoch.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from processes import train
from report import Row
from text import find_text

MEBIBYTE = 2**20
SAMPLE_SECONDS = 0.5


class Validation(NamedTuple):
    """Time since the start, and step, of a validation."""

    seconds: float
    step: float


class Sample(NamedTuple):
    """Resident memory at a step."""

    step: float
    mebibytes: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--steps", type=int, default=3_000, metavar="N", help="steps to train")
    parser.add_argument("--precision", choices=["auto", "float32", "bf16"], default="float32")
    parser.add_argument("--threads", type=int, default=1, metavar="N")


def measure(options: argparse.Namespace) -> list[Row]:
    """Train and return the peak, the resident memory during training, and its slope after the first epoch."""
    text = find_text(options.text)
    settings = {"training.batch_pieces": "1500", "training.epochs": "1000"}
    settings["training.precision"] = options.precision
    if options.quick:
        narrow = ("model.embedding_size", "model.encoder.hidden_size", "model.decoder.hidden_size")
        settings |= {
            "training.validate_every": "5",
            "subwords.vocabulary_size": "800",
            "search.beam_size": "1",
        }
        settings |= dict.fromkeys(narrow, "32")
    steps = 20 if options.quick else options.steps
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cost = train(text, folder, steps, threads=options.threads, watch=SAMPLE_SECONDS, **settings)
        validations = validations_in_log(folder / "model")
    memory = samples(cost.resident_bytes, validations)
    counted = f"{text.name}, {options.precision}, {steps:,} steps of 1,500 target pieces"
    rows = [Row("training", cost.peak_bytes / MEBIBYTE, "MiB", f"peak resident memory, {counted}")]
    for share, what in ((0.25, "a quarter"), (0.5, "half"), (1.0, "all")):
        nearest = min(memory, key=lambda sample: abs(sample.step - share * steps))
        rows.append(Row(f"  after {what}", nearest.mebibytes, "MiB", f"resident at step {nearest.step:,.0f}"))
    first = validations[0].step
    rows.append(
        Row(
            "  growth", slope([each for each in memory if each.step >= first]), "MiB/1,000 steps",
            f"slope after the first validation, at step {first:,.0f}",
        )
    )  # fmt: skip
    return rows


def validations_in_log(model: Path) -> list[Validation]:
    """Return the validations in the log of a training run."""
    (log,) = model.glob("logs/**/metrics.csv")
    with log.open(encoding="utf-8", newline="") as stream:
        return [
            Validation(float(row["elapsed_seconds"]), float(row["step"]))
            for row in csv.DictReader(stream)
            if row["elapsed_seconds"]
        ]


def samples(resident: Sequence[int], validations: Sequence[Validation]) -> list[Sample]:
    """Return the samples between the first and the last validation, with their steps."""
    located = []
    for before, after in itertools.pairwise(validations):
        for number, size in enumerate(resident, start=1):
            seconds = number * SAMPLE_SECONDS
            if before.seconds <= seconds < after.seconds:
                share = (seconds - before.seconds) / (after.seconds - before.seconds)
                located.append(Sample(before.step + share * (after.step - before.step), size / MEBIBYTE))
    if len(located) < 2:
        raise SystemExit("growth: the training run is too short to measure growth; raise --steps")
    return located


def slope(memory: Sequence[Sample]) -> float:
    """Return the growth of resident memory in MiB per 1,000 steps, by least squares."""
    line = statistics.linear_regression([each.step for each in memory], [each.mebibytes for each in memory])
    return 1_000 * line.slope
