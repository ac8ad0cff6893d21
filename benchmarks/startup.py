"""Startup time: processor time of --help, and wall time until the first translation."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import nmt_lstm, train
from report import Row
from text import find_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument(
        "-m", "--model", type=Path, metavar="FOLDER", help="model folder; by default one is trained"
    )


def measure(options: argparse.Namespace) -> list[Row]:
    """Return medians of several repetitions."""
    repetitions = 3 if options.quick else 10
    help_seconds = [nmt_lstm("--help").processor_seconds for _ in range(repetitions)]
    with tempfile.TemporaryDirectory() as folder:
        model = options.model
        if model is None:
            train(find_text(options.text), Path(folder), steps=1)
            model = Path(folder) / "model"
        translate_seconds = [seconds_to_first_translation(model) for _ in range(3)]
    return [
        Row(
            "nmt-lstm --help",
            statistics.median(help_seconds),
            "s",
            f"processor time, user and system, median of {repetitions}",
        ),
        Row(
            "nmt-lstm translate",
            statistics.median(translate_seconds),
            "s",
            "wall time from start to the first translation, median of 3",
        ),
    ]


def seconds_to_first_translation(model: Path) -> float:
    """Start ``translate``, send it a line and return the time until the translation."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", "translate", "-m", str(model), "--interactive"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"Ein Hund.\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    seconds = time.perf_counter() - begin
    process.communicate()
    if not answer or process.returncode:
        raise SystemExit(f"nmt-lstm translate -m {model} failed")
    return seconds
