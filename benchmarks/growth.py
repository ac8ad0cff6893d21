"""Memory of a long training: the peak, and whether the resident memory still grows after the first epoch.

`nmt-lstm train` runs as a process of its own, with the network and batches of the Multi30k recipe, validations and
checkpoints included. Its resident memory is read every half second; the step of a reading follows from the training's log,
which has step and time at the end of each epoch.
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
SECONDS_BETWEEN_READINGS = 0.5


class Logged(NamedTuple):
    """A validation: when, counted from the start, and after which step."""

    seconds: float
    step: float


class Reading(NamedTuple):
    """Resident memory at a step."""

    step: float
    mebibytes: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--steps", type=int, default=3_000, metavar="N", help="steps to train")
    parser.add_argument("--precision", choices=["auto", "float32", "bf16"], default="float32")
    parser.add_argument("--threads", type=int, default=1, metavar="N")


def measure(options: argparse.Namespace) -> list[Row]:
    """Train and return peak, resident memory on the way, and its slope after the first epoch."""
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
        cost = train(text, folder, steps, threads=options.threads, watch=SECONDS_BETWEEN_READINGS, **settings)
        logged = logged_steps(folder / "model")
    found = readings(cost.resident_bytes, logged)
    counted = f"{text.name}, {options.precision}, {steps:,} steps of 1,500 target pieces"
    rows = [Row("training", cost.peak_bytes / MEBIBYTE, "MiB", f"peak resident memory, {counted}")]
    for share, what in ((0.25, "a quarter"), (0.5, "half"), (1.0, "all")):
        nearest = min(found, key=lambda reading: abs(reading.step - share * steps))
        rows.append(Row(f"  after {what}", nearest.mebibytes, "MiB", f"resident at step {nearest.step:,.0f}"))
    first = logged[0].step
    rows.append(
        Row(
            "  growth", slope([each for each in found if each.step >= first]), "MiB/1,000 steps",
            f"slope of the readings after the first validation, at step {first:,.0f}",
        )
    )  # fmt: skip
    return rows


def logged_steps(model: Path) -> list[Logged]:
    """Return the validations of a training's log in order."""
    (log,) = model.glob("logs/**/metrics.csv")
    with log.open(encoding="utf-8", newline="") as stream:
        return [
            Logged(float(row["elapsed_seconds"]), float(row["step"]))
            for row in csv.DictReader(stream)
            if row["elapsed_seconds"]
        ]


def readings(resident: Sequence[int], logged: Sequence[Logged]) -> list[Reading]:
    """Return the memory at each step between the first and the last validation that was read there."""
    found = []
    for before, after in itertools.pairwise(logged):
        for number, size in enumerate(resident, start=1):
            seconds = number * SECONDS_BETWEEN_READINGS
            if before.seconds <= seconds < after.seconds:
                share = (seconds - before.seconds) / (after.seconds - before.seconds)
                found.append(Reading(before.step + share * (after.step - before.step), size / MEBIBYTE))
    if len(found) < 2:
        raise SystemExit("growth: the training was too short to see its memory grow; raise --steps")
    return found


def slope(found: Sequence[Reading]) -> float:
    """Return how many MiB more are resident after 1,000 steps, by least squares."""
    line = statistics.linear_regression([each.step for each in found], [each.mebibytes for each in found])
    return 1_000 * line.slope
