"""Cost of checkpoints: the share of a training run's time in which it writes them, with default settings.

The run writes the complete state (two files are kept), the weights of the best validations and the model folder; each is
synced to the disk. Validations are a part of the run, and of its time.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from report import Row
from rich.console import Console
from text import find_text

from nmt_lstm.config.load import make_run
from nmt_lstm.training.best_checkpoints import BestCheckpoints
from nmt_lstm.training.checkpointing import TrainingCheckpoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.model_writer import ModelWriter

WRITERS = {
    "state": (TrainingCheckpoint, "save"),
    "weights": (BestCheckpoints, "save"),
    "model folder": (ModelWriter, "write"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--minutes", type=float, default=5.0, metavar="N", help="time of the run")


def measure(options: argparse.Namespace) -> list[Row]:
    """Train, and return the share of each kind of file and of all."""
    text, seconds = find_text(options.text), 5.0 if options.quick else 60.0 * options.minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        values = {
            "data": {
                "train_source": str(text.train_source),
                "train_target": str(text.train_target),
                "valid_source": str(text.valid_source),
                "valid_target": str(text.valid_target),
                "prepared": str(folder / "prepared"),
            },
            "training": {"time_limit": f"{seconds:.0f}s"},
        }
        if options.quick:
            values["model"] = {
                "embedding_size": 16,
                "encoder": {"hidden_size": 16},
                "decoder": {"hidden_size": 16},
            }
            values["training"] |= {"max_steps": 20, "validate_every": 10}
        with timed_writers() as spent:
            result = fit(make_run(values), folder / "run", console=Console(quiet=True))
        size = sum(path.stat().st_size for path in (folder / "run").rglob("*") if path.is_file())
    counted = (
        f"of {result.seconds:,.0f} s, {result.steps:,} steps, {result.parameters:,} parameters, {text.name}"
    )
    return [
        Row("checkpoints", 100.0 * sum(spent.values()) / result.seconds, "%", f"share {counted}"),
        *(Row(f"  {kind}", 100.0 * spent[kind] / result.seconds, "%", "share") for kind in WRITERS),
        Row("  files", size / 2**20, "MiB", "at the end of the run"),
    ]


@contextlib.contextmanager
def timed_writers() -> Iterator[dict[str, float]]:
    """Yield the seconds that each kind of file takes to write, by kind; they are counted within the block."""
    spent = dict.fromkeys(WRITERS, 0.0)
    with contextlib.ExitStack() as stack:
        for kind, (owner, method) in WRITERS.items():
            stack.enter_context(mock.patch.object(owner, method, _timed(getattr(owner, method), kind, spent)))
        yield spent


def _timed(function, kind: str, spent: dict[str, float]):
    def call(*arguments, **options):
        begin = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent[kind] += time.perf_counter() - begin

    return call
