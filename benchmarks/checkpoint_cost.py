"""Cost of checkpoints: the share of the training time in which they are written, with default settings.

By default there is one for each epoch: the complete state, of which two files are kept, the weights if they are among the
best, and the model folder if they are the best; each file is synced to the disk. A short run measures the time of a
checkpoint in which all three are written, and the speed of training, so the share is an upper bound: it leaves out the
time of validations.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from report import Row
from rich.console import Console
from text import data_overrides, find_text

from nmt_lstm.config.load import make_run
from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.best_checkpoints import BestCheckpoints
from nmt_lstm.training.checkpointing import TrainingCheckpoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.model_writer import ModelWriter

CHECKPOINTS = 6
WRITERS = {
    "state": (TrainingCheckpoint, "save"),
    "weights": (BestCheckpoints, "save"),
    "model folder": (ModelWriter, "write"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--steps", type=int, default=120, metavar="N", help="steps to train")


def measure(options: argparse.Namespace) -> list[Row]:
    """Train, and return the time of a checkpoint, of an epoch, and the share."""
    text, steps = find_text(options.text), 12 if options.quick else options.steps
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = {
            key.removeprefix("data."): value
            for key, value in data_overrides(text, folder / "prepared").items()
        }
        values = {
            "data": data,
            "training": {"max_steps": steps, "validate_every": steps // CHECKPOINTS, "valid_beam_size": 1},
            "search": {"max_length_ratio": 0.5},  # an untrained model would write endless sentences
        }
        if options.quick:
            values["model"] = {
                "embedding_size": 16,
                "encoder": {"hidden_size": 16},
                "decoder": {"hidden_size": 16},
            }
        run = make_run(values)
        pieces = prepare(run).target_counts()
        assert pieces is not None
        with timed_writers() as seconds:
            result = fit(run, folder / "run", console=Console(quiet=True))
        size = sum(path.stat().st_size for path in (folder / "run").rglob("*") if path.is_file())
    speed = statistics.median(point.pieces_per_second for point in result.curve)
    epoch = float(pieces.sum()) / speed
    medians = {kind: statistics.median(each) for kind, each in seconds.items()}
    checkpoint = sum(medians.values())
    return [
        Row(
            "checkpoints",
            100.0 * checkpoint / (epoch + checkpoint),
            "%",
            "of the training time, one in each epoch",
        ),
        Row(
            "  a checkpoint",
            checkpoint,
            "s",
            f"median of {len(seconds['state'])}, {result.parameters:,} parameters",
        ),
        *(Row(f"    {kind}", value, "s", "median") for kind, value in medians.items()),
        Row("  an epoch", epoch, "s", f"{text.name}, {speed:,.0f} target pieces per second"),
        Row("  files", size / 2**20, "MiB", "at the end of the run"),
    ]


@contextlib.contextmanager
def timed_writers() -> Iterator[dict[str, list[float]]]:
    """Yield the seconds of each writing, by the kind of file; they are measured within the block."""
    spent: dict[str, list[float]] = {kind: [] for kind in WRITERS}
    with contextlib.ExitStack() as stack:
        for kind, (owner, method) in WRITERS.items():
            stack.enter_context(mock.patch.object(owner, method, _timed(getattr(owner, method), kind, spent)))
        yield spent


def _timed(function, kind: str, spent: dict[str, list[float]]):
    def call(*arguments, **options):
        begin = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent[kind].append(time.perf_counter() - begin)

    return call
